"""Hashes that others published, with their passwords, by form."""

import base64


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def bare(data: bytes) -> str:
    return b64(data).rstrip("=")


# RFC 6070, RFC 7914 (sections 11 and 12): the digests, to be written in each of the forms that say the same
PBKDF2_SHA1 = bytes.fromhex("4b007901b765489abead49d926f721d065a429c1")
PBKDF2_SHA256 = bytes.fromhex(
    "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
    "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
)
SCRYPT_EMPTY = bytes.fromhex(
    "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
    "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
)
SCRYPT_NACL = bytes.fromhex(
    "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
    "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
)
SCRYPT_SODIUM = bytes.fromhex(
    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
)
# The vector of GRUB's documentation
PBKDF2_SHA512_SALT = bytes.fromhex(
    "9290F727ED06C38BA4549EF7DE25CF5642659211B7FC076F2D28FEFD71784BB8"
    "D8F6FB244A8CC5C06240631B97008565A120764C0EE9C2CB0073994D79080136"
)
PBKDF2_SHA512 = bytes.fromhex(
    "887CFF169EA8335235D8004242AA7D6187A41E3187DF0CE14E256D85ED97A973"
    "57AAA8FF0A3871AB9EEFF458392F462F495487387F685B7472FC6C29E293F0A0"
)
WAV = "\u0399\u03c9\u03b1\u03bd\u03bd\u03b7\u03c2"
LONG = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored"
DJANGO_SCRYPT = (
    "scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw=="
)
# https://github.com/firebase/scrypt
FIREBASE = (
    "$firebase-scrypt$ln=14,r=8,ss=Bw==,"
    "sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
    "$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
)
PASSLIB_SHA512 = (
    "$pbkdf2-sha512$1212$RHY0Fr3IDMSVO/RSZyb5ow"
    "$eNLfBK.eVozomMr.1gYa17k9B7KIK25NOEshvhrSX.esqY3s.FvWZViXz4KoLlQI.BzY/YTNJOiKc5gBYFYGww"
)

ARGON2 = [
    # The reference implementation's src/test.c, versions 0x13 and 0x10
    ("password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
    ("password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"),
    ("password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
    ("differentpassword", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94"),
    ("password", "$argon2i$v=19$m=256,t=2,p=2$c29tZXNhbHQ$T/XOJ2mh1/TIpJHfCdQan76Q5esCFVoT5MAeIM1Oq2E"),
    ("password", "$argon2i$v=16$m=256,t=2,p=2$c29tZXNhbHQ$tsEVYKap1h6scGt5ovl9aLRGOqOth+AMB+KwHpDFZPs"),
    # passlib's tests
    ("password", "$argon2d$v=19$m=102400,t=2,p=8$g2RodLh8j8WbSdCp+lUy/A$zzAJqL/HSjm809PYQu6qkA"),
    ("password\x00", "$argon2i$v=19$m=512,t=2,p=2$c29tZXNhbHQ$Fb5+nPuLzZvtqKRwqUEtUQ"),
    # Django's tests
    ("secret", "argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q"),
    ("secret", "argon2$argon2id$v=19$m=102400,t=2,p=8$Y041dExhNkljRUUy$TMa6A8fPJhCAUXRhJXCXdw"),
]
BCRYPT = [
    # jBCrypt's tests
    ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
    ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
    ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
    ("~!@#$%^&*()      ~!@#$%^&*()PNBFRD", "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO"),
    # crypt_blowfish's and John the Ripper's tests
    ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("U*U*", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
    ("\u03c0" * 8, "$2a$10$.TtQJ4Jr6isd4Hp.mVfZeuh6Gws4rOQ/vdBczhDx.19NFK0Y84Dle"),
    (LONG, "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"),
    # passlib's tests of unused bits that are not zero: in the salt, and in the digest
    ("test", "$2a$04$oaQbBqq8JnSM1NHRPQGXORY4Vw3bdHKLIXTecPDRAcJ98cz1ilveO"),
    ("test", "$2a$04$yjDgE74RJkeqC0/1NheSScrvKeu9IbKDpcQf/Ox3qsrRS/Kw42qIS"),
    ("test", "$2a$04$yjDgE74RJkeqC0/1NheSSOrvKeu9IbKDpcQf/Ox3qsrRS/Kw42qIV"),
    # djangohashers' tests
    ("ExjGmyUT73bFoT", "bcrypt$$2b$12$LZSJchsWG/DrBy1erNs4ee31eJ7DaWiuwhDOC7aqIyqGGggfu6Y/."),
    ("ExjGmyUT73bFoT", "bcrypt_sha256$$2b$12$LZSJchsWG/DrBy1erNs4eeYo6tZNlLFQmONdxN9HPesa1EyXVcTXK"),
]
SCRYPT = [
    ("", f"$scrypt$ln=4,r=1,p=1$${bare(SCRYPT_EMPTY)}"),
    ("password", f"$scrypt$ln=10,r=8,p=16${bare(b'NaCl')}${bare(SCRYPT_NACL)}"),
    ("password", f"scrypt$1024$NaCl$8$16${b64(SCRYPT_NACL)}"),
    ("pleaseletmein", f"scrypt:16384:8:1$SodiumChloride${SCRYPT_SODIUM.hex()}"),
    # passlib's documentation
    ("password", "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"),
    # Django's tests
    ("l\u00e8tmein", DJANGO_SCRYPT),
    ("user1password", FIREBASE),
]
PBKDF2 = [
    ("password", f"$pbkdf2-sha1$i=4096${bare(b'salt')}${bare(PBKDF2_SHA1)}"),
    ("password", f"pbkdf2:sha1:4096$salt${PBKDF2_SHA1.hex()}"),
    ("passwd", f"$pbkdf2-sha256$i=1,l=64${bare(b'salt')}${bare(PBKDF2_SHA256)}"),
    ("passwd", f"pbkdf2:sha256:1$salt${PBKDF2_SHA256.hex()}"),
    ("hello", f"$pbkdf2-sha512$i=10000${bare(PBKDF2_SHA512_SALT)}${bare(PBKDF2_SHA512)}"),
    # Django's tests
    ("l\u00e8tmein", "pbkdf2_sha256$600000$seasalt$OAXyhAQ/4ZDA9V5RMExt3C1OwQdUpLZ99vm1McFlLRA="),
    ("l\u00e8tmein", "pbkdf2_sha1$600000$seasalt2$2CLsaL1MZhq6JOG6QOHtVbiopHE="),
    # passlib's tests
    ("password", "$pbkdf2$1212$OB.dtnSEXZK8U5cgxU/GYQ$y5LKPOplRmok7CZp/aqVDVg8zGI"),
    (WAV, "$pbkdf2$1212$THDqatpidANpadlLeTeOEg$HV3oi1k5C5LQCgG1BMOL.BX4YZc"),
    (WAV, "$pbkdf2-sha256$1212$3SABFJGDtyhrQMVt1uABPw$WyaUoqCLgvz97s523nF4iuOqZNbp5Nt8do/cuaa7AiI"),
    ("password", PASSLIB_SHA512),
]
VECTORS = ARGON2 + BCRYPT + SCRYPT + PBKDF2
