#pragma once

#include "net/auth/token_algorithm.hpp"

#include <array>
#include <string_view>

/// Keys made for tests, and a token of each algorithm by another implementation (PyJWT 2.15): of the user ann, until 2100.
namespace canang::test {

inline constexpr std::string_view token_secret =
  "a secret for tests alone: nobody else may ever use it, not once.";

inline constexpr std::string_view rsa_private_pem = R"(-----BEGIN PRIVATE KEY-----
MIIEvwIBADANBgkqhkiG9w0BAQEFAASCBKkwggSlAgEAAoIBAQC1GvbQOe9tLPgb
eYNzHf9afi/BVenWEiMrVP0yNDulfIrc0FZQoG2Aaa9ZVUD5FY2W1YhKdJjaZsmh
7ByfIAAUfYTRDTQuv4r4SQvo0Wwiwn8tvKNVddYf65DdNLJTWVfHbVpV4f7FO7zs
I4wxZH/f5u+o/lw5zgESr7JJ628zJMOvenqoB8MRXYmeSZt8jRyXVjmSowxg9E30
+9FHq/lYnbJYGEsLOLGRmgMvBWGUA2CNAdwa8wJf/plrI+irrj2uRBCB47qP/5Ak
sQVBAcdlcw7LdiH9D+W4vjNXbw/ZQf8JhOkCgxAsV7xXNqKYVpjFtxKjfs6McspV
s+ekfoWHAgMBAAECggEAEvr++AbCYZJPdG2xSZzQuNa1wZDz/2QKPI3dNWhFAgyB
7y+EhFGz+DvbTUUCmLhaDP9XF9qNdIJGSoqY21J6v6sCAvjbybR4Z5ocPevI5gG1
W4FEKv49ET5agdx2fgbEjNmYmJylW11t6N+23yxVvI0S/Aagesxsz10LlfSvRFA+
WisFbFyEmXr2xeZp+E0w8ngSYPtnghg1Ees6aS29EoJXzmMtEjTmFco+dhLrHcrq
8y421vNt/1l3aV4FB5ZA1BQ3Al4ERVWktV5ewPHAX4t15Q7hK/Le38iFtkTkRiG2
NncOx3c94eTC1c9kZ57nJOaOAoZTwm8KwO2lTLTIZQKBgQDlkBoW79/2TBV80KfX
wNVCxRRhnZP+sLKk5GKTQyNMPnbT7H4rwiWK2bDvF4ZCrI0jd9d9/qrNRgl0S/ON
S5vJXzAgWiQ81QRbguJPATbRrBoE/sn3Q6koZgA9yjpscBxGgoVwFVg3vZZRUTj1
Nb0NrtDx0AM3cPzRiMDHz4Lv9QKBgQDJ9kCE1uzkwUW6z5Aj1H9uV7nh6CI2INPL
1aR3pKDks8BSqW+wpilo/7h3iglkKmG67TRH9wmmIsFKXMOe8dlzWJliwytsryaW
kBAxjPHg0n5i/WBUSdiJThF8Km6YFEyQSTqTdoMvTsVqjgrdCVKkkmjcmPQsBCej
fKuhAJGeCwKBgQC1LcIpkDBmpy3eUJ/nfF3UUM8BK+j9/l9AHLBgIYDeT/5gzCnY
R2Zx69XlHd/tB1ptP8xnuHL9h+U2UCtsvNu7VtEY94vaJxVFVEtgp0iouvfeMWkd
Kd178OUH32+03dazH5hJGc+CTrMwgrY9cahAAFUQRGgFfbtLdG8SRAjHcQKBgQCu
mZf5wB2ZPoXcFSnV8BYi/PCUny1EgmjYZeEEFm2KiuQQEq+elmhigAGoRswLrqBD
DGMQfD/5Qz673Sq5tPh7QfOJcJWQJnRD4lQ9ok5SQWhGiCrJc/Yh7j4rjDuEerge
XVCov+J1+bGuhxJZOYAbCwBhBlLB4u2p51Qxot5BNQKBgQCW22Oqf8sz6YgVeh+g
Eo9qcWT8Y1d8wufPPMr2aBaQKCKabuIYg0bqYx6PdpxrCWAa1SUgR8VXW43jWRlf
a+wHZA+fMpKqXZdE1MLG9pXMq4IvKmZrfa+NUL5isb1CrAw5qmF/BCbocBEBFxPv
88OC2gfZsHQRa/RFutJXFMV0UA==
-----END PRIVATE KEY-----
)";

inline constexpr std::string_view rsa_public_pem = R"(-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtRr20DnvbSz4G3mDcx3/
Wn4vwVXp1hIjK1T9MjQ7pXyK3NBWUKBtgGmvWVVA+RWNltWISnSY2mbJoewcnyAA
FH2E0Q00Lr+K+EkL6NFsIsJ/LbyjVXXWH+uQ3TSyU1lXx21aVeH+xTu87COMMWR/
3+bvqP5cOc4BEq+ySetvMyTDr3p6qAfDEV2JnkmbfI0cl1Y5kqMMYPRN9PvRR6v5
WJ2yWBhLCzixkZoDLwVhlANgjQHcGvMCX/6ZayPoq649rkQQgeO6j/+QJLEFQQHH
ZXMOy3Yh/Q/luL4zV28P2UH/CYTpAoMQLFe8VzaimFaYxbcSo37OjHLKVbPnpH6F
hwIDAQAB
-----END PUBLIC KEY-----
)";

inline constexpr std::string_view p256_private_pem = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHWZYE/0b41va9Vh6
uNpqOuRGmkEN6TsC8he3gg5yP0GhRANCAAQ6c+BLJYfItEItfxUgVR7opsbVMgAo
aACjpnnHq/dMnb+Dovh+9g66ln4Ykv4Erk6MCvXIsCsWUwoePdHX6rKx
-----END PRIVATE KEY-----
)";

inline constexpr std::string_view p256_public_pem = R"(-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOnPgSyWHyLRCLX8VIFUe6KbG1TIA
KGgAo6Z5x6v3TJ2/g6L4fvYOupZ+GJL+BK5OjAr1yLArFlMKHj3R1+qysQ==
-----END PUBLIC KEY-----
)";

inline constexpr std::string_view p384_private_pem = R"(-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAwb7jA8h3QH4yb9RB3
ceZWPFsF5FpEL79+L8NEYdseiNTxPJ5SEZ7CJJn1G7SHPSuhZANiAARwPddEFyg6
/2MzYL2Ep9A/l9BUR7nH7tp2aQsSEuZunsRBotdP1GvJX4cqWIR8fddrBN4L9EKv
lKa4psxp25CynMZu29J3dr3xBgOqlkuOqaleaOWh0CU3RdeFsnYgoyU=
-----END PRIVATE KEY-----
)";

inline constexpr std::string_view p384_public_pem = R"(-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEcD3XRBcoOv9jM2C9hKfQP5fQVEe5x+7a
dmkLEhLmbp7EQaLXT9RryV+HKliEfH3XawTeC/RCr5SmuKbMaduQspzGbtvSd3a9
8QYDqpZLjqmpXmjlodAlN0XXhbJ2IKMl
-----END PUBLIC KEY-----
)";

inline constexpr std::string_view ed25519_private_pem = R"(-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIF7y6f+4/P55xsT1mL7WM/gckU/uZGIoTxTHC8m0Z3Mo
-----END PRIVATE KEY-----
)";

inline constexpr std::string_view ed25519_public_pem = R"(-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAfOkZxYNbP71XbY/wKTCbdNzVtCHhbYK4CRtxc3bRaGU=
-----END PUBLIC KEY-----
)";

inline constexpr std::string_view weak_rsa_private_pem = R"(-----BEGIN PRIVATE KEY-----
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAMuzfBfZviND0WQ2
15VxAA+H6VssxPMRsTiKHLpCmekdLeFI9h3oIxbWaAJSfmhiZUb/TgZb3Xc8eNQN
n4UyWIKyNaE8RhiD/cBKoWg9VbqPKsxBxafWHxZRGeqPATOAWoOsK2APQhUNU2yI
uxGy+QLdQFRKgvnPy+v5QQDm4hdlAgMBAAECgYBuLc7ZN7VYbb48bk19T3mw7NqT
rkt5DgDFjC6tsIh/RoEiccxtsLoKCD6JwwUMgOw20rDpT5cif1r7l8LI0Mp+L1tN
5RVkjQ+W8u68jss9u+ESSXjDgQRhOzl9/Uq7i5FkGE4l9WMKbbijlmIJeqH/3uRU
zo6PL48Gfzyn+/wJAQJBAPJ8wzmYBzcu+4ihesbCtZXTMFYIWBJhPdn7WrrXSowl
V+xPBVqYB6Vk2y4v+VK60yZLTQzysjgDQh9ZpzlunUkCQQDXDWlcQ87XYSQRZiKE
rDv7X3rMLCU6wimVfT7z70M13KmSFkHWSC7o67o1H1ilQjZo/RcMxwI4EGBCOOBJ
wrU9AkAoyA7VSto7z60CB5Zsgyai8ge5EGIvhScv1/QkZDznYQhud8PAvrzadiHe
nLbj0QPd9uAYg2CxxuqB90QGhrHxAkEAm7BT9L4KgxcKm6YLm21tx2CqcCINmepz
XIxeBQ/U4qur/90pMM71Vx9Boa/d51Z2Oa/w/gkdbCU+6vJuPjg+KQJAU4+TEFxf
JtsPYUlQ45u/1tnp4ZCbUzuEze58R/37qA7IR58Wd8F4aG+4NvOnmaZ0OGmgk4gV
fvOIpuwBANxuTw==
-----END PRIVATE KEY-----
)";

/// The same in the form that OpenSSL wrote before version 3.
inline constexpr std::string_view weak_rsa_old_private_pem = R"(-----BEGIN RSA PRIVATE KEY-----
MIICXAIBAAKBgQDLs3wX2b4jQ9FkNteVcQAPh+lbLMTzEbE4ihy6QpnpHS3hSPYd
6CMW1mgCUn5oYmVG/04GW913PHjUDZ+FMliCsjWhPEYYg/3ASqFoPVW6jyrMQcWn
1h8WURnqjwEzgFqDrCtgD0IVDVNsiLsRsvkC3UBUSoL5z8vr+UEA5uIXZQIDAQAB
AoGAbi3O2Te1WG2+PG5NfU95sOzak65LeQ4AxYwurbCIf0aBInHMbbC6Cgg+icMF
DIDsNtKw6U+XIn9a+5fCyNDKfi9bTeUVZI0PlvLuvI7LPbvhEkl4w4EEYTs5ff1K
u4uRZBhOJfVjCm24o5ZiCXqh/97kVM6Ojy+PBn88p/v8CQECQQDyfMM5mAc3LvuI
oXrGwrWV0zBWCFgSYT3Z+1q610qMJVfsTwVamAelZNsuL/lSutMmS00M8rI4A0If
Wac5bp1JAkEA1w1pXEPO12EkEWYihKw7+196zCwlOsIplX0+8+9DNdypkhZB1kgu
6Ou6NR9YpUI2aP0XDMcCOBBgQjjgScK1PQJAKMgO1UraO8+tAgeWbIMmovIHuRBi
L4UnL9f0JGQ852EIbnfDwL682nYh3py249ED3fbgGINgscbqgfdEBoax8QJBAJuw
U/S+CoMXCpumC5ttbcdgqnAiDZnqc1yMXgUP1OKrq//dKTDO9VcfQaGv3edWdjmv
8P4JHWwlPurybj44PikCQFOPkxBcXybbD2FJUOObv9bZ6eGQm1M7hM3ufEf9+6gO
yEefFnfBeGhvuDbzp5mmdDhpoJOIFX7ziKbsAQDcbk8=
-----END RSA PRIVATE KEY-----
)";

inline constexpr std::string_view weak_rsa_public_pem = R"(-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDLs3wX2b4jQ9FkNteVcQAPh+lb
LMTzEbE4ihy6QpnpHS3hSPYd6CMW1mgCUn5oYmVG/04GW913PHjUDZ+FMliCsjWh
PEYYg/3ASqFoPVW6jyrMQcWn1h8WURnqjwEzgFqDrCtgD0IVDVNsiLsRsvkC3UBU
SoL5z8vr+UEA5uIXZQIDAQAB
-----END PUBLIC KEY-----
)";

inline constexpr std::string_view p521_public_pem = R"(-----BEGIN PUBLIC KEY-----
MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAb2XCB+CyxvrLqGGbxADkLaKVElEd
hfd4ldSH4VZQeKYj105xWIsTSLDdEzWXbXQgLlHXnDypkI+KScwj0tvFGgoAwbjC
plzNF9v1veE3iTUDU15XnphqkniHGPYla1NxIaDWukBRuMHsVXEzBpbtljX6FmiI
rDS7pwaly9bCTFjuBe4=
-----END PUBLIC KEY-----
)";

struct token_vector {
  net::token_algorithm algorithm;
  std::string_view public_key; ///< PEM, or the secret
  std::string_view private_key;
  std::string_view token;
};

inline constexpr std::array<token_vector, net::token_algorithm_count> token_vectors{{
  {net::token_algorithm::hs256, token_secret, token_secret,
   "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDAsImluZm8"
   "iOnsibmFtZSI6IkFubiJ9fQ.zy67JziAvZNpy2WDNWjmSNbR5ywxXmZWIgj2qtXWoRk"},
  {net::token_algorithm::hs384, token_secret, token_secret,
   "eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDAsImluZm8"
   "iOnsibmFtZSI6IkFubiJ9fQ.dDn7A1Xm2EYVCmv9DTVdXtaWUsXnB3-3olYPuYj8ImEw9b7t1nkx8mYLvyLZ"
   "DbYm"},
  {net::token_algorithm::hs512, token_secret, token_secret,
   "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDAsImluZm8"
   "iOnsibmFtZSI6IkFubiJ9fQ.KI1TD9OSJaZ2f6h2XopuMwodMKJeUtGSMz5Y3DNOy04lH3-KJ87girKRVKLo"
   "bxHNPz1vrOf7LN_csdb1QPanKQ"},
  {net::token_algorithm::rs256, rsa_public_pem, rsa_private_pem,
   "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDAsImluZm8"
   "iOnsibmFtZSI6IkFubiJ9fQ.Q_U7WdPIAfBNsjkfoyfyrqcOORQ7Fo8pr9ksTWRoiMdtlbgb_otyVV6LkRp2"
   "sseAYMnZ2gHnD_5G4kixXcbs7heFh5dlAQ4DLwFKNOnS9cw8jbbjJ6guTv1wNr-3ITHdyVZ9D9UIfPyEB1W_"
   "Lj8aKMLrxxdGWLwueLhQ74TTZCOzbSRFksypKCTLZGqcSJgT7WNtX2Fm9gSS7OHsjgscWrY2UW95cNhqCEK_"
   "yIzUjLHMae648QsHYwikS0ApLV5hzOisCyW3abPN0WdGgQGbucRHgPIbhIwLjEh3zxI6tQNVATgEFCOv2DZV"
   "2APivJcjqWffhmiqodeo6fBb3ORAlg"},
  {net::token_algorithm::rs384, rsa_public_pem, rsa_private_pem,
   "eyJhbGciOiJSUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDAsImluZm8"
   "iOnsibmFtZSI6IkFubiJ9fQ.MyuVjZEqsBzdkluyXrlqvnzh2S0BdgJCsmq3eZWU12ZBUQluE_i2S6be5R4A"
   "R9j3hGcW6uJQPhR5ZZquDSf23fSkkp5mIt2cJ2ilnQb3_G3rIZqxAzQRdcar__AXz1ZCfOP6WAV99eFSbiNV"
   "AxaJ9SHo6tOn3BFlL8vKqVbOBIP36qi_Dmtqg1OnvbViS9udYetl6EJpkdxnkeMCU4u9niwVflBdpiqTdoUc"
   "PNmTQngDf1UD58wUZRdMKkdUsrtfR2Aqgm9Qg1IyCgAvtZPqGK0Y5Cfxqv6YdHyILGE0tH1nRZf1ktIahiIj"
   "E4vsiwirSYSnTgiMmrsjZszOFjlS4Q"},
  {net::token_algorithm::rs512, rsa_public_pem, rsa_private_pem,
   "eyJhbGciOiJSUzUxMiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDAsImluZm8"
   "iOnsibmFtZSI6IkFubiJ9fQ.qTRXrYBRGnwHgI81XEyDXnwF5l3eM-8iAvaWLB3ZlA9n7auHK8JPjE3enRMD"
   "9pH1lcI-Topk9ZuiNMCQ5FfnR6HYJJBd9R2howBcBF5_cXEKCnY_H7eXyQ5tYixHx5-U5ccG3k-YMTmC8nuo"
   "7SbeUtW2QgpYdhpqXQAmo8m5kQtxGH7KtXk7dzyIrKEO-R0CNvNTce3H_-12rVszpu9jjsorsi88aGNtOoR0"
   "pPQzZbsOKfP0AexJNhV1i-a5f-35l9qBsC7eUqR1sfEDCxoB4IoLYBi8qznM2_fFlFZCllKDn0ToBqNnz3o7"
   "7HG81D9ZSuJfl978-ITKv2nePgZYFg"},
  {net::token_algorithm::es256, p256_public_pem, p256_private_pem,
   "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDAsImluZm8"
   "iOnsibmFtZSI6IkFubiJ9fQ.ZwB1_G3Ze0kEoCtFR3tcAFhm0xBgy62Hlw8nU3uZlJQXpss4gtiDTbRZi-x0"
   "-ronY5JXi0sxFOzNJ_paCNZNBg"},
  {net::token_algorithm::es384, p384_public_pem, p384_private_pem,
   "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDAsImluZm8"
   "iOnsibmFtZSI6IkFubiJ9fQ.asFT8ojp3_2xkOOQaLdkMtiCWzpXzQMmsCHxawuCLjp8LK1AP-5NXOf8deKo"
   "07b1f8-h-l_ebtd_7UgkQHChd09MLqLIivcuvfRqbsJfbj-RH5NoBVl436ZdMuJ0oqrt"},
  {net::token_algorithm::eddsa, ed25519_public_pem, ed25519_private_pem,
   "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4iLCJleHAiOjQxMDI0NDQ4MDAsImluZm8"
   "iOnsibmFtZSI6IkFubiJ9fQ.ZCiCo53cQOe3IcBmSHNG08NxU8m79dxBK83ZyCpSiddvboIxnVnxvDFmTEf0"
   "GIvHUE5aUGXc44aiuIrtyai1DQ"},
}};

} // namespace canang::test
