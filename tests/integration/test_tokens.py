"""`canang token`: what it mints others take, and what others mint it takes."""

import json
import subprocess
import time

import jwt
import pytest

from support import token_keys
from support.canang_process import binary, clean_environment, run_to_end
from support.key_server import KeyServer

SECRET = token_keys.SECRET
WITH_SECRET = {"CANANG_TOKEN_HMAC_SECRET": SECRET}
ASYMMETRIC = [("rsa", "RS256"), ("rsa", "RS384"), ("rsa", "RS512"), ("p256", "ES256"),
              ("p384", "ES384"), ("ed25519", "EdDSA")]  # fmt: skip


def mint(*arguments, env=None):
    done = run_to_end(["token", *arguments], env=WITH_SECRET if env is None else env)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout.count("\n") == 1
    return done.stdout.strip()


def check(token, *arguments, env=None):
    return run_to_end(["token", "--check", token, *arguments], env=WITH_SECRET if env is None else env)


def pem_files(tmp_path, kind):
    key = token_keys.make(kind)
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    private.write_bytes(token_keys.private_pem(key))
    public.write_bytes(token_keys.public_pem(key))
    return key, str(private), str(public)


def test_a_token_has_the_claims_that_it_is_asked_for():
    before = int(time.time())
    token = mint("--user", "ann", "--room", "chat:*", "--room", "news", "--allow", "sub,pub",
                 "--expires", "1h", "--info", '{"name": "Ann"}')  # fmt: skip
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    assert before <= claims["iat"] <= time.time()
    assert claims["exp"] == claims["iat"] + 3600
    assert claims["sub"] == "ann" and claims["info"] == {"name": "Ann"}
    assert claims["caps"] == [
        {"channels": ["chat:*"], "match": "wildcard", "allow": ["sub", "pub"]},
        {"channels": ["news"], "allow": ["sub", "pub"]},
    ]
    assert set(claims) == {"iat", "exp", "sub", "info", "caps"}


def test_a_subscription_token_names_its_room():
    token = mint("--user", "ann", "--channel", "news", "--expires", "5m")
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    assert (claims["channel"], claims["sub"]) == ("news", "ann")
    assert "to subscribe to \"news\"" in check(token).stdout


def test_audience_and_issuer_are_those_that_the_options_ask_for():
    env = WITH_SECRET | {"CANANG_TOKEN_AUDIENCE": "chat,shop", "CANANG_TOKEN_ISSUER": "example"}
    token = mint("--user", "ann", env=env)
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="chat", issuer="example")
    assert claims["aud"] == "chat"
    assert check(token, env=env).returncode == 0
    other = mint("--user", "ann", "--audience", "a", "--audience", "b", "--issuer", "c", env=env)
    claims = jwt.decode(other, SECRET, algorithms=["HS256"], audience="b", issuer="c")
    assert claims["aud"] == ["a", "b"]
    refused = check(other, env=env)
    assert refused.returncode == 1 and "another audience" in refused.stdout


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_secret_serves_all_of_hmac(algorithm):
    theirs = jwt.encode({"sub": "ann"}, SECRET, algorithm=algorithm)
    assert check(theirs).returncode == 0
    ours = mint("--user", "ann", "--algorithm", algorithm)
    assert jwt.decode(ours, SECRET, algorithms=[algorithm])["sub"] == "ann"


@pytest.mark.parametrize("kind, algorithm", ASYMMETRIC)
def test_a_key_pair_signs_and_checks(tmp_path, kind, algorithm):
    key, private, public = pem_files(tmp_path, kind)
    theirs = jwt.encode({"sub": "ann"}, key, algorithm=algorithm)
    held = check(theirs, "--token-public-key", public, env={})
    assert held.returncode == 0, held
    ours = mint("--user", "ann", "--key", private, "--algorithm", algorithm, "--kid", "one", env={})
    assert jwt.decode(ours, key.public_key(), algorithms=[algorithm])["sub"] == "ann"
    assert jwt.get_unverified_header(ours)["kid"] == "one"
    other = token_keys.make(kind)
    refused = check(jwt.encode({"sub": "ann"}, other, algorithm=algorithm),
                    "--token-public-key", public, env={})  # fmt: skip
    assert refused.returncode == 1 and "signature does not hold" in refused.stdout


def test_a_check_shows_header_and_claims_whether_it_holds_or_not():
    token = jwt.encode({"sub": "ann", "exp": 4102444800}, SECRET, algorithm="HS256")
    held = check(token)
    assert held.stdout.splitlines() == [
        'header: {"alg":"HS256","typ":"JWT"}',
        'claims: {"sub":"ann","exp":4102444800}',
        'the token holds: "ann", until 2100-01-01 00:00:00 UTC',
    ]
    refused = check(token[:-4] + "AAAA")
    assert refused.returncode == 1
    assert refused.stdout.splitlines()[:2] == held.stdout.splitlines()[:2]
    assert refused.stdout.splitlines()[2] == "the token's signature does not hold"


def test_a_check_reads_standard_input():
    token = mint("--user", "ann")
    done = subprocess.run([str(binary()), "token", "--check", "-"], input=token + "\n", text=True,
                          capture_output=True, env=clean_environment(WITH_SECRET), timeout=20,
                          check=False)  # fmt: skip
    assert done.returncode == 0 and '"ann"' in done.stdout


@pytest.mark.parametrize(
    "claims, said",
    [
        ({"sub": "ann", "exp": 1}, "expired"),
        ({"sub": "ann", "nbf": 4102444800}, "not valid yet"),
        ({"sub": 7}, "malformed"),
        ({"sub": "ann", "exp": "4102444800"}, "malformed"),
        ({"caps": [{"channels": ["^a"], "match": "regex", "allow": ["sub"]}]}, "malformed"),
    ],
)
def test_a_token_that_does_not_count_says_why(claims, said):
    body = jwt.api_jws.encode(json.dumps(claims).encode(), SECRET, algorithm="HS256")
    refused = check(body)
    assert refused.returncode == 1 and said in refused.stdout, refused


@pytest.mark.parametrize("token", ["x", "a.b.c", "\x1b[2J.\n.x", "e30.e30.e30", "A" * 100_000])
def test_garbage_is_refused_and_nothing_of_it_ends_a_line(token):
    refused = check(token)
    assert refused.returncode == 1 and "malformed" in refused.stdout
    assert "\x1b" not in refused.stdout and len(refused.stdout) < 10_000


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--user", "a\nb"], "--user"),
        (["--room", "."], "--room"),
        (["--channel", "x" * 256], "--channel"),
        (["--allow", "sub"], "--room"),
        (["--info", "{"], "--info"),
        (["--info", '"' + "x" * 5000 + '"'], "--info"),
        (["--algorithm", "none"], "--algorithm"),
        (["--algorithm", "RS256"], "--algorithm"),
        (["--key", "/nowhere"], "--key"),
        (["--key", "/dev/null"], "--key"),
    ],
)
def test_what_cannot_be_minted_is_one_line_and_1(arguments, said):
    done = run_to_end(["token", *arguments], env=WITH_SECRET)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1 and said in done.stderr, done.stderr
    assert SECRET not in done.stderr


def test_without_a_key_nothing_is_minted_nor_holds():
    minted = run_to_end(["token", "--user", "ann"])
    assert minted.returncode == 1 and "nothing to sign with" in minted.stderr
    refused = check(jwt.encode({"sub": "ann"}, SECRET), env={})
    assert refused.returncode == 1 and "unknown key" in refused.stdout


@pytest.mark.parametrize(
    "arguments", [["--expires", "soon"], ["--expires", "0s"], ["--allow", "all"], ["--nonsense"]]
)
def test_wrong_arguments_are_one_line_and_2(arguments):
    done = run_to_end(["token", "--room", "news", *arguments], env=WITH_SECRET)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done


def test_a_check_fetches_the_key_set_of_the_options():
    key = token_keys.make("p256")
    token = jwt.encode({"sub": "ann"}, key, algorithm="ES256", headers={"kid": "one"})
    with KeyServer(token_keys.jwks(token_keys.jwk(key, "p256", "one"))) as server:
        held = check(token, "--token-jwks", server.url(), env={})
        assert held.returncode == 0, held
        server.status = 500
        refused = check(token, "--token-jwks", server.url(), env={})
        assert refused.returncode == 1 and "unknown key" in refused.stdout
        assert "the answer has status 500" in refused.stderr
