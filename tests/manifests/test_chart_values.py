"""Values that are wrong, or that contradict each other, are refused with a line that says why; the others reach
the objects that they are for."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from charts import CHART, PRODUCTION, environment_of_chart, helm, is_hook, refusal, render_chart
from manifests import REPOSITORY, Manifests, selects
from support.canang_process import CanangProcess, run_to_end
from test_options import help_text

WAYS_IN = (PRODUCTION, "ci/ways-in.yaml")
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
ALONE = {"redis": {"enabled": False}, "replicas": 1}
SCALED = {"autoscaling": {"enabled": True}}


# values, what helm says
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a key that does not exist": ({"replica": 3}, r"replica.*not allowed"),
    "a key that does not exist, deeper": ({"redis": {"image": {"name": "a"}}}, r"name.*not allowed"),
    "an option that does not exist": ({"options": {"drain-graces": "5s"}}, r"drain-graces"),
    "an option of the wrong form": ({"options": {"drain-grace": "5"}}, r"drain-grace.*pattern"),
    # YAML reads them as true and false, which the server does not.
    "a word that is a switch to YAML": ({"options": {"compression": False}}, r"compression.*boolean"),
    "a number that is text": ({"replicas": "two"}, r"replicas.*integer"),
    "a port that no Service has": ({"service": {"port": 70000}}, r"port.*65535|65,535"),
    "a host with a scheme": (
        {"ingress": {"enabled": True, "hosts": ["https://a"]}},
        r"hosts.*pattern",
    ),
    "a drain that the kubelet would cut short": (
        {"options": {"drain-period": "1m30s"}},
        r"terminationGracePeriodSeconds is 60: .* drain-grace 5s and drain-period 1m30s it has to be 105 or more",
    ),
    "a grace that ends before the pod is unready": (
        {"options": {"drain-grace": "4000ms"}},
        r"options.drain-grace is 4000ms: the readiness probe takes 4s",
    ),
    "nodes that nothing links": ({"redis": {"enabled": False}}, r"nothing links the nodes"),
    "an autoscaler of nodes that nothing links": (ALONE | SCALED, r"nothing links the nodes"),
    "two Redis": ({"options": {"redis": "redis://elsewhere:6379"}}, r"redis\.enabled: that Redis would"),
    "two Redis, one in a Secret": ({"config": {"secret": "a"}}, r"redis\.enabled: that Redis would"),
    "two Redis, one in a file": (
        {"config": {"toml": 'log-level = "info"\nredis = "redis://a"\n'}},
        r"redis\.enabled: that Redis would",
    ),
    "two config files": (
        ALONE | {"config": {"secret": "a", "toml": "workers = 1"}},
        r"config\.secret and config\.toml",
    ),
    "a config file that is not mounted": ({"options": {"config": "/a"}}, r"options\.config: give"),
    "a key in a ConfigMap": ({"options": {"internal-key": "a"}}, r"options\.internal-key is a secret"),
    "a password in a ConfigMap": (
        {"redis": {"enabled": False}, "options": {"redis": "rediss://canang:pass@redis:6380"}},
        r"options\.redis has a password",
    ),
    "probes that would have to speak TLS": (
        {"options": {"internal-tls-cert": "/a"}},
        r"options\.internal-tls-cert: probes",
    ),
    "an autoscaler upside down": (
        {"autoscaling": {"enabled": True, "minReplicas": 9, "maxReplicas": 3}},
        r"minReplicas is above maxReplicas",
    ),
    "an autoscaler that aims too high": (
        SCALED | {"options": {"max-connections": 10000}},
        r"connectionsPerNode is 10000: nodes that refuse clients at options\.max-connections \(10000\)",
    ),
    "KEDA without a Prometheus": (
        {"autoscaling": {"enabled": True, "by": "keda"}},
        r"autoscaling\.keda\.prometheus",
    ),
    "an ingress for nobody": ({"ingress": {"enabled": True}}, r"ingress\.hosts: name at least one"),
    "a route of no Gateway": ({"httpRoute": {"enabled": True}}, r"httpRoute\.parentRefs: name the Gateway"),
    "TLS in two places": (
        {"tls": {"secret": "a"}, "ingress": {"enabled": True, "hosts": ["a"]}},
        r"tls\.secret: the nodes would speak TLS to an ingress",
    ),
    "two monitors of the same nodes": (
        {"monitoring": {"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}}},
        r"monitoring: podMonitor and serviceMonitor",
    ),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_wrong_values_are_refused(mistake: str) -> None:
    values, said = REFUSED[mistake]
    assert re.search(said, refusal(values=values))


def test_a_drain_may_take_what_the_grace_period_leaves() -> None:
    values = {"options": {"drain-period": "1m30s"}, "terminationGracePeriodSeconds": 105}
    rendered = render_chart(values=values)
    assert rendered.pod()["terminationGracePeriodSeconds"] == 105
    values["terminationGracePeriodSeconds"] = 104
    assert "has to be 105 or more" in refusal(values=values)


# --- the schema

# Maps whose keys are whoever's who gives them.
FREE = {"commonLabels", "commonAnnotations", "podLabels", "podAnnotations", "annotations", "labels", "affinity"}
FREE |= {"nodeSelector", "namespaceLabels", "requests", "limits", "options"}


def maps_of(values: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for key, value in values.items():
        if isinstance(value, dict) and key not in FREE:
            yield from maps_of(value, (*path, key))


def default_values() -> dict[str, Any]:
    return yaml.safe_load((CHART / "values.yaml").read_text())


def faults(values: dict[str, Any]) -> list[str]:
    validator = jsonschema.Draft7Validator(SCHEMA)
    return [error.message for error in validator.iter_errors(values)]


def test_the_schema_knows_every_value_and_no_other() -> None:
    assert not faults(default_values())
    for path in maps_of(default_values()):
        values = default_values()
        at: Any = values
        for key in path:
            at = at[key]
        at["planted"] = "x"
        assert any("planted" in fault for fault in faults(values)), path


def properties_of(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rsplit("/", 1)[1]]
    for key, value in schema.get("properties", {}).items():
        yield (*path, key)
        if path != () or key != "options":
            yield from properties_of(value, (*path, key))


def test_every_value_of_the_schema_has_its_default_in_the_file() -> None:
    """So the file, with its comments, is the list of all values."""
    for path in properties_of(SCHEMA):
        at: Any = default_values()
        for key in path:
            assert key in at, ".".join(path)
            at = at[key]


def variables_by_option() -> dict[str, str]:
    """What the server says itself: of flags that have a variable."""
    return dict(re.findall(r"^ +(?:-\w,)?--([\w-]+).*\(Env:(\w+)\)", help_text(), re.M))


def test_the_schema_knows_the_options_that_the_server_has() -> None:
    known, there_are = set(SCHEMA["definitions"]["optionName"]["enum"]), set(variables_by_option())
    missing = sorted(there_are - known)
    assert not missing, f"to be added to optionName in values.schema.json: {missing}"
    assert not known - there_are, f"the server has no such options: {sorted(known - there_are)}"


# --- options


def test_options_become_variables() -> None:
    values = {
        "options": {
            "max-connections": 2000000,
            "publish-rate": 0,
            "allowed-origin": ["https://a.example", "https://b.example"],
            "memory-limit": "auto",
            "drain-grace": "6s",
        }
    }
    environment = environment_of_chart(**values)
    assert environment["CANANG_MAX_CONNECTIONS"] == "2000000"  # not 2e+06
    assert environment["CANANG_PUBLISH_RATE"] == "0"
    assert environment["CANANG_ALLOWED_ORIGIN"] == "https://a.example,https://b.example"
    assert environment["CANANG_DRAIN_GRACE"] == "6s"  # instead of k8s/base/canang.env's
    assert run_to_end(["--check-config"], env=environment).returncode == 0


SWITCHES = {name for name, wanted in SCHEMA["properties"]["options"]["properties"].items() if "switch" in str(wanted)}


def test_the_server_takes_true_for_the_options_that_the_schema_does() -> None:
    variables = variables_by_option()
    assert SWITCHES
    for name in SWITCHES:
        assert run_to_end(["--check-config"], env={variables[name]: "true"}).returncode == 0, name
    assert run_to_end(["--check-config"], env={"CANANG_COMPRESSION": "true"}).returncode == 2
    assert environment_of_chart(options={"presence": False})["CANANG_PRESENCE"] == "false"


@pytest.mark.parametrize("toml", ["  [rooms]\n  history-size = 5\nlog-level = 'info'\n", "\n\n      \n[rooms]\n"])
def test_a_config_file_may_be_indented(toml: str) -> None:
    values = ALONE | {"config": {"toml": toml}}
    text = render_chart(values=values).one("ConfigMap", "canang-config")["data"]["canang.conf"]
    assert [line.rstrip() for line in text.rstrip().split("\n")] == [
        line.rstrip() for line in toml.rstrip().split("\n")
    ]


def test_every_option_of_the_chart_has_the_variable_that_the_server_reads() -> None:
    for name, variable in variables_by_option().items():
        assert variable == "CANANG_" + name.upper().replace("-", "_")


def test_a_change_of_options_rolls_the_nodes() -> None:
    def checksums(**values: Any) -> dict[str, str]:
        template = render_chart(values=values).one("Deployment")["spec"]["template"]
        return template["metadata"]["annotations"]

    assert checksums() == checksums()
    assert checksums() != checksums(options={"workers": 3})
    file = {"config": {"toml": "[rooms]\nhistory-size = 5\n"}}
    assert checksums(**file) != checksums(config={"toml": "[rooms]\nhistory-size = 6\n"})


def test_the_server_takes_the_config_file_of_the_chart(tmp_path: Path) -> None:
    rendered = render_chart("ci/alone.yaml")
    text = rendered.one("ConfigMap", "canang-config")["data"]["canang.conf"]
    [mount] = [m for m in rendered.container()["volumeMounts"] if m["name"] == "config"]
    environment = rendered.environment()
    assert environment["CANANG_CONFIG"] == f"{mount['mountPath']}/canang.conf"
    (tmp_path / "canang.conf").write_text(text)
    assert "history-ttl" in text
    done = run_to_end(["--check-config", "--config", str(tmp_path / "canang.conf")])
    assert done.returncode == 0, done.stderr


def test_variables_that_the_chart_mounts_files_for_name_them() -> None:
    rendered = render_chart("ci/alone.yaml", values={"internalKey": {"secret": "key"}})
    environment = rendered.environment()
    mounts = {m["name"]: m["mountPath"] for m in rendered.container()["volumeMounts"]}
    assert environment["CANANG_TLS_CERT"] == mounts["tls"] + "/tls.crt"
    assert environment["CANANG_TLS_KEY"] == mounts["tls"] + "/tls.key"
    assert environment["CANANG_INTERNAL_KEY_FILE"] == mounts["internal"] + "/key"
    assert set(mounts) == {v["name"] for v in rendered.pod()["volumes"]}


# --- the objects that neither overlay has


@pytest.fixture(scope="module")
def ways_in() -> Manifests:
    return render_chart(*WAYS_IN)


def test_ways_in_lead_to_a_port_of_the_service(ways_in: Manifests) -> None:
    service = ways_in.one("Service")
    [port] = service["spec"]["ports"]
    [rule] = ways_in.one("Ingress")["spec"]["rules"]
    [path] = rule["http"]["paths"]
    assert path["backend"] == {"service": {"name": "canang", "port": {"name": port["name"]}}}
    [route] = ways_in.one("HTTPRoute")["spec"]["rules"]
    assert route["backendRefs"] == [{"name": "canang", "port": port["port"]}]
    assert port["targetPort"] in [p["name"] for p in ways_in.container()["ports"]]


def test_the_ingress_waits_longer_than_a_connection_may_be_silent(ways_in: Manifests) -> None:
    annotations = ways_in.one("Ingress")["metadata"]["annotations"]
    [ping] = re.findall(r"--ping-interval=(\d+)s", help_text())
    for way in ("read", "send"):
        timeout = annotations[f"nginx.ingress.kubernetes.io/proxy-{way}-timeout"]
        assert int(timeout) > 10 * int(ping)


def test_the_service_monitor_selects_the_internal_service_as_the_job_of_the_alerts(
    ways_in: Manifests,
) -> None:
    spec = ways_in.one("ServiceMonitor")["spec"]
    found = [
        service
        for service in ways_in.of_kind("Service")
        if selects(spec["selector"]["matchLabels"], service["metadata"]["labels"])
    ]
    [service] = found
    assert service["metadata"]["name"] == "canang-internal"
    assert service["metadata"]["labels"][spec["jobLabel"]] == "canang"
    assert spec["endpoints"][0]["port"] in [p["name"] for p in service["spec"]["ports"]]


def test_keda_wants_what_the_autoscaler_wants(ways_in: Manifests, production: Manifests) -> None:
    spec = ways_in.one("ScaledObject")["spec"]
    wanted = production.one("HorizontalPodAutoscaler")["spec"]
    assert spec["scaleTargetRef"] == wanted["scaleTargetRef"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (3, 30)
    assert spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] == wanted["behavior"]
    targets = {m["type"]: (m.get("pods") or m.get("resource"))["target"] for m in wanted["metrics"]}
    by_type = {trigger["type"]: trigger for trigger in spec["triggers"]}
    connections, cpu = by_type["prometheus"], by_type["cpu"]
    assert connections["metricType"] == targets["Pods"]["type"]
    assert connections["metadata"]["threshold"] == targets["Pods"]["averageValue"]
    # That nothing is known is no reason to take nodes away.
    assert connections["metadata"]["ignoreNullValues"] == "false"
    assert cpu["metricType"] == targets["Resource"]["type"]
    assert cpu["metadata"]["value"] == str(targets["Resource"]["averageUtilization"])
    assert ways_in.of_kind("HorizontalPodAutoscaler") == []
    assert "replicas" not in ways_in.one("Deployment")["spec"]


def test_given_lists_reach_the_pods(ways_in: Manifests) -> None:
    pod, given = ways_in.pod(), yaml.safe_load((CHART / "ci/ways-in.yaml").read_text())
    assert pod["tolerations"][-1:] == given["tolerations"]
    for key in ("nodeSelector", "affinity", "topologySpreadConstraints", "priorityClassName"):
        assert pod[key] == given[key]
    assert pod["imagePullSecrets"] == given["image"]["pullSecrets"]
    assert given["extraVolumes"][0] in pod["volumes"]
    container = pod["containers"][0]
    assert given["extraVolumeMounts"][0] in container["volumeMounts"]
    assert given["env"][0] in container["env"]
    policy = ways_in.one("NetworkPolicy")["spec"]
    assert given["networkPolicy"]["ingress"][0] in policy["ingress"]
    assert given["networkPolicy"]["egress"][0] in policy["egress"]
    [rule] = ways_in.one("NetworkPolicy", "canang-to-redis")["spec"]["egress"]
    assert rule["to"] == given["networkPolicy"]["redisPeers"]
    for document in ways_in.documents:
        assert document["metadata"]["labels"]["team"] == "chat"
    annotations = ways_in.one("Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["example.org/contact"] == "chat"


README_MAKES = [{"Ingress", "PodMonitor", "PrometheusRule"}, {"HTTPRoute"}, {"ScaledObject"}]


def test_the_readmes_values_make_what_it_says() -> None:
    text = (CHART.parent / "README.md").read_text()
    [section] = re.findall(r"^## The Helm chart\n(.*?)^## ", text, re.M | re.S)
    blocks = re.findall(r"```yaml\n(.*?)```", section, re.S)
    plain = {document["kind"] for document in render_chart(PRODUCTION).documents}
    for block, kinds in zip(blocks, README_MAKES, strict=True):
        rendered = render_chart(PRODUCTION, values=yaml.safe_load(block))
        made = {document["kind"] for document in rendered.documents}
        assert made - plain == kinds


# --- helm test


def test_what_helm_test_runs_finds_a_node_right(
    start_canang: Callable[..., CanangProcess],
) -> None:
    rendered = render_chart()
    [pod] = [d for d in rendered.of_kind("Pod") if is_hook(d)]
    node = start_canang()
    ports = {"canang-internal:9000": node.internal_port, "canang:80": node.port}
    for container in pod["spec"]["containers"]:
        assert "command" not in container  # what the image starts is the server
        text = "\n".join(container["args"])
        [address] = [a for a in ports if f"//{a}/" in text]
        port = ports.pop(address)
        done = run_to_end(text.replace(address, f"127.0.0.1:{port}").split("\n"))
        assert done.returncode == 0, done.stdout + done.stderr
        wrong = text.replace(address, f"127.0.0.1:{port}") + "x"
        assert run_to_end(wrong.split("\n")).returncode != 0, "it would fail"
    assert not ports


def test_what_helm_test_asks_is_let_through() -> None:
    rendered = render_chart()
    [pod] = rendered.of_kind("Pod")
    labels = pod["metadata"]["labels"]
    policies = [p["spec"] for p in rendered.of_kind("NetworkPolicy")]
    of_the_test = [p for p in policies if selects(p["podSelector"]["matchLabels"], labels)]
    [egress] = [p["egress"] for p in of_the_test if p.get("egress")]
    [to_nodes] = [rule for rule in egress if rule["ports"] == [{"port": 8000}, {"port": 9000}]]
    assert selects(to_nodes["to"][0]["podSelector"]["matchLabels"], rendered.pod_labels())
    [tested] = [p for p in rendered.of_kind("NetworkPolicy") if p["metadata"]["name"] == "canang-tested"]
    assert selects(tested["spec"]["podSelector"]["matchLabels"], rendered.pod_labels())
    [rule] = tested["spec"]["ingress"]
    assert selects(rule["from"][0]["podSelector"]["matchLabels"], labels)
    assert rule["ports"] == [{"port": 9000}]
    # Nothing else of the release is let in there, nor is the test taken for a node.
    assert not selects(rule["from"][0]["podSelector"]["matchLabels"], rendered.pod_labels())
    assert not selects(rendered.one("Service")["spec"]["selector"], labels)


# --- the chart itself


def test_the_chart_has_the_version_of_the_server() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = (REPOSITORY / "CMakeLists.txt").read_text()
    assert f"project(canang VERSION {chart['appVersion']}" in project


def test_what_the_chart_links_to_is_in_the_package(tmp_path: Path) -> None:
    """Links lead out of the chart's folder; a package has what they lead to."""
    done = helm("package", str(CHART), "--destination", str(tmp_path))
    assert done.returncode == 0, done.stderr
    [package] = tmp_path.glob("*.tgz")
    packed = helm("template", "canang", str(package), "--namespace", "canang", "--values", str(CHART / PRODUCTION))
    unpacked = helm("template", "canang", str(CHART), "--namespace", "canang", "--values", str(CHART / PRODUCTION))
    assert packed.returncode == 0, packed.stderr
    assert packed.stdout == unpacked.stdout


NOTES = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: notes}
data:
  notes: {{ include "notes" . | toJson }}
"""


def notes_of(directory: Path, files: list[str]) -> str:
    """Only `helm install` prints them, which wants a cluster: so a copy of the chart has them in an object."""
    copy = directory / "chart"
    shutil.copytree(CHART, copy)
    text = (copy / "templates" / "NOTES.txt").read_text()
    (copy / "templates" / "_notes.tpl").write_text('{{ define "notes" }}' + text + "{{ end }}")
    (copy / "templates" / "notes.yaml").write_text(NOTES)
    values = [argument for file in files for argument in ("--values", str(CHART / file))]
    done = helm("template", "canang", str(copy), "--namespace", "canang", *values)
    assert done.returncode == 0, done.stderr
    return Manifests(done.stdout).one("ConfigMap", "notes")["data"]["notes"]


@pytest.mark.parametrize("files", [[], [PRODUCTION], list(WAYS_IN), ["ci/alone.yaml"]])
def test_the_notes_name_what_there_is(files: list[str], tmp_path: Path) -> None:
    notes, rendered = notes_of(tmp_path, files), render_chart(*files)
    named = re.findall(r"\b(deployment|service)/(\S+)", notes)
    assert ("deployment", "canang") in named
    for kind, name in named:
        rendered.one(kind.capitalize(), name)
    for port in re.findall(r"8000:(\d+)", notes):
        assert int(port) == rendered.one("Service")["spec"]["ports"][0]["port"]
    assert ("https://chat.example.org/" in notes) == bool(rendered.of_kind("Ingress"))
    assert ("port-forward" in notes) != bool(rendered.of_kind("Ingress"))
    assert ("Redis is one pod" in notes) == (len(rendered.of_kind("Deployment")) == 2)
