"""Secrets are masked and everything else is kept: examples of each format, then generated secrets in generated contexts."""

from __future__ import annotations

import json
import re
import shlex
import string
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from emr_serverless.redaction import addresses, markup, named, names, patterns, redactor, shell, token_formats, tokens, values
from emr_serverless.redaction.patterns import SUSPICION
from emr_serverless.redaction.redactor import Redactor, Screen
from emr_serverless.redaction.tokens import MASK
from secret_forms import CHOSEN, FORMS, WHOLE_VALUES

REDACTOR = Redactor()
KEY_ID = "LTAI5tFakeFakeFake"
KEY_SECRET = "fAkEfAkEfAkEfAkEfAkEfAkEfAkE12"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"
LONG = "x" * 600

# `§` in an input surrounds a secret and is taken out; the whole of it must come back as the mask.
MASKED_TEXTS = {
    "uri": "mysql://user:§pass§@host:3306/db",
    "uri with @ in the password": "mysql://user:§p@ss@word§@db.example.com/x?a=b",
    "uri with encoded password": "mongodb://u:§p%40%2Fss§@h1.example.com:1,h2.example.com:2/?replicaSet=r",
    "uri with colon in the password": "amqp://u:§p:ss§@h.example.com",
    "uri with / in the password": "postgres://u:§P@ss/w0rd#?1§@db.example.com:5432/x",
    "uri with / in the password of an unlikely host": "postgres://u:§P/w@rd§@db/x",
    "uri without user": "redis://:§pass§@cache:6379/0",
    "uri with digits only": "redis://:§1234§@cache/0",
    "uri with address as user": "smtp://me@example.com:§pass§@mail.example.com",
    "uri with token user": "git+https://x-access-token:§abc§@github.com/o/r.git@main",
    "uri to localhost": "http://u:§p§@localhost/x@y",
    "uri to an address": "http://u:§p§@[::1]/x@y",
    "uris in a row": "redis://:§a§@one/0,redis://:§b§@two/0",
    "uri in escaped JSON": r"http:\/\/u:§p§@h.example.com\/x",
    "uri without a dot": "redis://u:§pass§@cache",
    "uri to a port": "http://u:§p§@db:80/x@y",
    "uri with : and / in the password": "postgres://u:§P:ss/w@rd§@db/x",
    "uri with digits and a comma": "redis://u:§1,2§@cache",
    "encoded uri alone": "https%3A%2F%2Fu%3A§p§%40h",
    "encoded uri": "x?to=https%3A%2F%2Fu%3A§p%40ss§%40h%2Fpath%2Fme%40x",
    "jdbc query": "jdbc:mysql://h/db?user=u&password=§p,a;b%26c§&x=y",
    "jdbc semicolons": "jdbc:sqlserver://h;user=u;password=§p§;encrypt=true",
    "jdbc oracle": "jdbc:oracle:thin:user/§pass§@host:1521:x",
    "jdbc oracle, service": "jdbc:oracle:thin:user/§p@ss§@//host:1521/x",
    "jdbc oracle, quoted": 'JDBC:ORACLE:thin:user/§"p@ s"§@host',
    "option": "run --db-password §x§ --table t",
    "option with =": "run --password=§x§ --table t",
    "option with one dash": "java -password §x§ -v",
    "option quoted": "run --password '§x y§' --table t",
    "option behind a line break": "run --token \\\n  §x§ \\\n  --table t",
    "option in a list": "[--password, §x§, --table, t]",
    "option before an option": "run --use-token --table t; password=§x§",
    "config": "SET spark.hadoop.fs.oss.accessKeySecret=§abc§; SELECT 1",
    "config in capitals": "FS_OSS_ACCESS_KEY_SECRET=§abc§ FS_OSS=1",
    "sql options": "OPTIONS ('user' 'u', 'password' '§x y§', 'url' 'z')",
    "sql options, bare keys": 'OPTIONS (user "u", password "§x y§", url "z")',
    "sql properties": "TBLPROPERTIES (\"accessKeySecret\"=\"§x§\", 'a' = 'b')",
    "sql doubled quotes": "password = '§it''s '' me§' AND x = 'y'",
    "backquotes alone": "token `§x y§`",
    "sql backquotes": "`token` = `§x y§` AND x",
    "sql identified by": "CREATE USER u IDENTIFIED  BY '§x§' ACCOUNT LOCK",
    "sql comparison": "token <> '§x1§' OR token != '§y1§' OR token >= '§z1§'",
    "backslash in quotes": r"""password="§a\"b c\\§" x="y" """,
    "quote in quotes": "password='§it's§' x",
    "quote in a bare value": "password=§it's§ x",
    "in quotes of its own": "'password=§x§'",
    "at the end": "password=§x§, ",
    "at the very end": "password=§x§;",
    "double quote never closed": 'x=1 password=§"a b, c=d§',
    "escaped quote never closed": r"{\"password\":§\"x y§",
    "escaped quote in single quotes": r"password='§it\'s me§' x y",
    "on the next line": "'password' =\n  '§x§'",
    "quote never closed": "x=1 password=§'a b, c=d§",
    "python call": '.option("password", "§x§").option("user", "u")',
    "python item": "conf['fs.oss.accessKeySecret'] = '§x§'",
    "scala map": "Map(url -> jdbc:x, password -> §x§, user -> u)",
    "ruby map": "{user => u, password => §x§, a => b}",
    "java map": "{user=u, password=§x§, a=b}",
    "literals": "x token=None, token=false; x token=true) token=null",
    "java list": "token=§[a, b]§ x",
    "name behind a name": """token "§password§": "§x§", the password '§my-token§': '§it§'""",
    "yaml": "user: u\npassword: §x§\nurl: z",
    "cut JSON": '{"user":"u","password":"§x§","a":1,"b',
    "cut JSON with a list": '{"tokens": §["a", "b"]§, "c',
    "cut JSON with a compact list": '{"tokens":§["a","b"]§,"c":1',
    "cut JSON pair": '{"key": "db.password", "value": "§x§", "a',
    "escaped JSON": r"{\"user\":\"u\",\"password\":\"§x \\\" y§\",\"a\":1",
    "JSON number": '{"a": 1, "token": §12345678§, "b',
    "xml": "<user>u</user><password>§x§</password><a>b</a>",
    "hadoop xml": "<property><name>fs.oss.accessKeySecret</name><value>§x§</value></property>",
    "url token": "https://h/p?a=1&token=§x§&b=2",
    "url xml-escaped": "https://h/p?a=1&amp;token=§x§&amp;b=2",
    "url unicode-escaped": r"https://h/p?a=1\u0026token\u003d§x§\u0026b\u003d2",
    "url encoded": "to=https%3A%2F%2Fh%2Fp%3Fsig%3D§x%2526y§%26b%3D2",
    "encoded JSON": "%7B%22token%22%3A§%22abc%22%7D§",
    "url encoded twice": "to=h%252Fp%253Ftoken%253D§x%26y§%2526b%253D2",
    "percent before a key": "100%token=§x§",
    "signed oss": f"https://h/o?OSSAccessKeyId=§{KEY_ID}§&Expires=1&Signature=§ab%2Bc§&security-token=§x§",
    "signed oss, named in itself": f"https://h/o?OSSAccessKeyId=§{KEY_ID}§&Signature=§aSignature%3D§&security-token=§x§",
    "signed oss v4": "https://h/o?x-oss-credential=§a/b§&x-oss-signature=§x§&x-oss-date=1",
    "signed aws": "https://h/o?X-Amz-Credential=§a§&X-Amz-Signature=§x§&X-Amz-Date=1",
    "signed azure": "https://h/o?sv=1&sig=§x%3D§&se=2",
    "azure connection": "AccountName=a;AccountKey=§b64==§;EndpointSuffix=core",
    "header": "Authorization: §Bearer abc def§\nAccept: x",
    "header in quotes": "curl -H 'Authorization: §Basic abc=§' https://h/x",
    "header api key": "X-Api-Key: §abc§\nAccept: x",
    "cookie": "Cookie: §a=b; c=d§\nAccept: x",
    "scheme": "token: §Bearer abc§ rest, token=§Basic abc§ rest, token=§Digest abc§ rest, token=§token abc§ rest",
    "header with pairs": 'Authorization: §Digest username="u", response="x"§\nAccept: x',
    "header with a quote": "Cookie: §it's x§\nAccept: x",
    "bearer": "sent Bearer §abcdefghijklmnop§ to h",
    "bearer, small": "bearer §abcdefghijklmnop§ bearer+§abcdefghijklmnop§",
    "bearer, capital": "BEARER §abcdefghijklmnop§",
    "bearer encoded": "sent bearer%20§abcdefghijklmnop§ to h",
    "words": "Secret Access Key: §abc1§, Access Key ID: §bcd1§, Secret Key: §cde1§, Private Key: §def1§, Api Key: §efg1§",
    "more words": "Encryption Key: §abcd1§, Account Key: §bcde1§, pass phrase: §cdef1§, pass word: §defg1§, pass code: §efgh1§",
    "chinese": "用户: u 密码: §x1§ 访问密钥=§y1§ 口令\uff1a§z1§ 令牌=§a1§ 凭证=§b1§",
    "key id": f"id §{KEY_ID}§ x",
    "key id, glued": f"id%3D§{KEY_ID}§ my§{KEY_ID}§",
    "sts id": "id §STS.NTfakefake§ x",
    "aws id": "id §AKIAIOSFODNN7EXAMPLE§ or §ASIAIOSFODNN7EXAMPLE§ x",
    "tencent id": "id §AKIDz8krbsJ5yKBZQpn7§ x",
    "key pair": f"§{KEY_ID}§:§{KEY_SECRET}§ x",
    "key pair, sts": f"§STS.NTfakefake§ §{KEY_SECRET}{KEY_SECRET[:14]}§ x",
    "key pair, aws": "§AKIAIOSFODNN7EXAMPLE§ §wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY§ x",
    "abbreviated": f"oss.sk=§{KEY_SECRET}§ ak: §AB1CDEF2abcdef34§",
    "jwt": f"got §{JWT}§ back",
    "jwt beside a key id": f"§{KEY_ID}§ §eyJhbGciOi{KEY_SECRET}.eyJzdWIiOiIxIn0.c2ln§ x",
    "jwt escaped": rf"a\n§{JWT}§ b%2C§{JWT}§",
    "github": "use §ghp_abcdefghijklmnopqrst§ or §github_pat_abcdefghijklmnopqrst§ x",
    "gitlab": "use §glpat-abcdefghijklmnopqrst§ x",
    "slack": "use §xoxb-1234567890-abc§ or §xapp-1234567890-abc§ x",
    "google": "use §AIzaSyA1234567890123456789012345678901§ or §ya29.abcdefghijklmnopqrst§ x",
    "databricks": "use §dapi0123456789abcdef0123456789abcdef§ x",
    "hugging face": "use §hf_abcdefghijklmnopqrstuvwxyzabcdef§ x",
    "model keys": "use §sk-abcdefghijklmnopqrstuvwx§ or §sk-proj-abcdefghijklmnopqrstuvwx§ x",
    "more model keys": "use §sk-ant-abcdefghijklmnopqrstuvwx§ or §sk_live_abcdefghijklmnopq§ x",
    "web hooks": "to https://hooks.slack.com/services/§T0/B0/x§ or h/open-apis/bot/v2/hook/§a-b§ or h/webhook/send?key=§a-b§",
    "pem": "key §-----BEGIN RSA PRIVATE KEY-----\nMIIabc=\n-----END RSA PRIVATE KEY-----§ rest",
    "pem on one line": r"key §-----BEGIN PRIVATE KEY-----\nMIIabc=\n-----END PRIVATE KEY-----§ rest",
    "pem encoded": "key §-----BEGIN+PRIVATE%20KEY-----MII%2B-----END+PRIVATE%20KEY-----§ rest",
    "pem cut": "key §-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\nnNzaC1§",
    "ssh2": "key §---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/56wAAA\n---- END SSH2 ENCRYPTED PRIVATE KEY ----§ rest",
    "ssh2 cut": "key §---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/56wAAA§",
    "pem glued": "a§-----BEGIN PRIVATE KEY-----MII§",
    "curl": "curl -u user:§p:a;s,s@§ https://h/x",
    "curl, long": "/usr/bin/curl -s --user user:§pass§ --proxy-user=u:§pass2§ https://h/x",
    "curl, glued": "curl -uuser:§pass§ -U u:§pass2§ https://h/x",
    "curl in quotes": """bash -c "curl -u 'user:§my pass§' https://h/x" && x""",
    "curl in quotes of its own": """bash -c "curl https://h/x -u user:§pass§" && x""",
    "curl in JSON": r"{\"run\": \"curl -u \\\"user:§my pass§\\\" https://h/x\"",
    "curl in a list": "Popen(['curl', '-u', 'user:§my pass§', 'https://h/x'])",
    "curl, quote never closed": "curl -u 'user:§my pass§",
    "curl behind a line break": "curl \\\n  -u user:§pass§ \\\n  https://h/x",
    "mysql": "mysql -uroot -p§pass§ -P3306 shop; x",
    "mysql in quotes": "mysqldump -u root -p'§my pass§' shop | mariadb '-p§pass§' shop",
    "mysql in a list": 'run(["mysqladmin", "-uroot", "-p§pass§", "ping"])',
    "sshpass": "sshpass -p §pass§ ssh h; sshpass -p§pass§ ssh h",
    "beeline": "beeline -u jdbc:hive2://h:10000 -n u -p '§my pass§' -e 'SELECT 1'",
    "redis": "redis-cli -h h -a §pass§ ping",
    "mongo": "mongodump -u u -p §pass§ --db x",
    "netrc": "machine h.example.com login u password §pass§ machine h2 login u account a password §pass2§",
    "netrc on lines": "default\n\tlogin u\n\tpassword §pass§\n",
    "netrc in another order": 'machine h password §pass§ login u machine h login u password "§my pass§"',
    "inside a long text": f"{LONG} password=§x§ {LONG}",
}
HARMLESS_TEXTS = [
    "",
    "token_refresh_daily",
    "etl-password-rotation",
    "SELECT passwordless FROM t",
    "SELECT token, secret FROM t WHERE token IS NOT NULL -- tokens and keys",
    "SELECT a.x FROM a JOIN d ON a.date_sk = d.date_sk AND d.sk = 5",
    "spark.executor.memory=4g",
    "--conf spark.executor.memory=4g --class com.x.TokenRefresh",
    "oss://bucket/path@v1/access_keys/x.py",
    "abfss://container@account.dfs.core.windows.net/x",
    "abfss://container@account.dfs.core.windows.net:443/x@y",
    "http://h:8080/path@x",
    "http://h:8080?mail=a@b.example",
    "mongodb://h1:27017,h2:27017/?mail=a@b.example",
    "jdbc:oracle:thin:@//host:1521/x",
    "https://emr.example.com/jobs?state=Running&page=2#top",
    "keyJoinOptimizationDaily monkeyJuggling1234567",
    "DEFAULTAIRFLOWPATH EASIAPACIFICREGIONS1 task-abcdefghijklmnopqrstuvwx",
    "compass=1 bypass=2 author=x mask=0123456789abcdef0 sigma=1",
    "x password= , token='' secret=\"\" x, token: null, secret -> True)",
    "2024-01-01 10:00:00 ERROR TokenManager - token expired",
    "CAST(token::string AS x)",
    "a=1 secret://vault/x",
    "https%3A%2F%2Fh%2Fp%3Aq%40z",
    "----- BEGIN the load -----",
    '{"a": 1.50, "b": [1, "x"], "tokenized": null, "hasPassword": true}',
    "{not JSON, token}",
    "sort -u a:b; docker run --user 1000:1000 x",
    "mysql -u root -p -P3306 --protocol=tcp shop",
    'bash -c "mysql -u root -p" -x',
    "mysqldump - | wc",
    "jdbc:mysql://h:3306/d -partition 5 com.mysql.jdbc.Driver -port=5",
    "curl -s -o a:b https://h:80/x --user u -T x",
    "the machine learns how to login without a password today",
    "the default login page",
    f"{LONG} token {LONG}",
]


def without_marks(text: str) -> str:
    return text.replace("§", "")


def with_masks(text: str) -> str:
    return "".join(MASK if index % 2 else part for index, part in enumerate(text.split("§")))


def test_a_secret_in_text_is_masked_without_changing_its_surroundings() -> None:
    for text in MASKED_TEXTS.values():
        assert REDACTOR.text(without_marks(text)) == with_masks(text)
        assert REDACTOR.text(with_masks(text)) == with_masks(text)


def test_harmless_text_is_kept() -> None:
    for text in HARMLESS_TEXTS:
        assert REDACTOR.text(text) == text
        assert REDACTOR.setting("spark.app.name", text) == text
        assert REDACTOR.spark_submit_parameters(text) == text
        assert REDACTOR.arguments([text, text]) == [text, text]


@pytest.mark.parametrize("after", ",;:.)]}>&|+\\ \n")
def test_a_quoted_value_ends_at_its_closing_quote(after: str) -> None:
    assert REDACTOR.text(f"password='x y'{after}b") == f"password='{MASK}'{after}b"


SECRET_KEYS = """
    spark.secret my_SECRET_x password ConnectionPassword db-passwd PASSWD pass.word passcode pass-phrase passphrase
    MYSQL_PWD password1
    token securityToken connectionToken fs.oss.securityToken credential credentials dbCreds fs.oss.accessKeyId token.prod
    fs.oss.accessKeySecret FS_OSS_ACCESS_KEY_SECRET accesskeyid AccessKeyId aws_secret_access_key odps.access.id odps.access.key
    GoogleAccessId client-secret apikey api_key x-api-key privateKey private_key fs.azure.account.key.h sharedKey storage_key
    fs.s3a.encryption.key crypt.key aes-key master.key signingKey auth_key appKey clientKey subscription-key ssh_key session.key
    crypto.key enc_key hmacKey rsa.key desKey kms.key licenseKey licence_key
    db_pass dbPass userpass ssl.keystore.pass x-oss-signature Signature bearer Cookie Authorization
    proxy-authorization authorisation
    pw db_pw dbPw userPW sas fs.azure.sas.c.a blobSas blobSAS sig reqSig jwt userJwt userJWT javax.jdo.option.ConnectionPassword
    密码 数据库密钥 口令 令牌 凭证 凭据 密碼 密鑰 秘钥 私钥 パスワード 비밀번호 пароль senha passwort contraseña mot_de_passe
""".split()  # noqa: SIM905  # a list of them would fill three pages
# Their values are masked where they look drawn at random.
DOUBTFUL_KEYS = [
    "ak",
    "sk",
    "OSS_AK",
    "fs.oss.sk",
    "ossAk",
    "ossSK",
    "key",
    "some.key",
    "auth",
    "docker.auth",
    "enc",
    "hmac",
    "rsa",
    "des",
    "kms",
    "crypto",
    "license",
    "sign",
]
HARMLESS_KEYS = """
    spark.executor.memory spark.app.name value compass bypass author authentication.type authorization.enabled monkey task
    mask risk sigma jwtx design passthrough wsass spark.sql.shuffle.partitions access.identity masky tokenizer tokenized
    team environment fs.oss.credentials.provider secret.enabled token.version password.count secret.file secretName accessKeyOwner
    token.ttl credential.class secret-type page_token nextToken maxTokens total_tokens sasUrl spark.credentials.file use.token
    密码错误 密码策略
""".split()  # noqa: SIM905  # as above


def test_the_value_of_a_secret_key_is_masked_completely() -> None:
    for key in SECRET_KEYS:
        assert REDACTOR.setting(key, "a b") == MASK
        assert REDACTOR.setting(key, "") == ""
        assert REDACTOR.json({key: "z", "a": "b"}) == {key: MASK, "a": "b"}
        assert REDACTOR.arguments([f"{key}=a b"]) == [f"{key}={MASK}"]
        assert REDACTOR.arguments([f"--{key}", "a b", "c"]) == [f"--{key}", MASK, "c"]
        assert REDACTOR.spark_submit_parameters(f"--conf {key}=z --conf a=b") == f"--conf {key}={MASK} --conf a=b"


def test_the_value_of_an_ambiguous_key_is_masked_if_it_looks_random() -> None:
    for key in DOUBTFUL_KEYS:
        assert REDACTOR.setting(key, KEY_SECRET) == MASK
        for value in ("silver", "order_id", "Apache-2.0", "ERR-1001", "2026-01-01", "alias/etl"):
            assert REDACTOR.setting(key, value) == value


HARMLESS_VALUES = """
    4 4096 1.5 300s 30min 12h 4g true FALSE yes none null com.aliyun.emr.fs.auth.RamRoleCredentialsProvider $DB_PASSWORD ${env:PW}
    {{secrets/prod/db}} #{token} %(token)s <your-password> ****** xxxxxxxx ? STRING varchar(64) os.environ["X"] 2026-01-01
    vault://prod/db arn:aws:secretsmanager:x
""".split()  # noqa: SIM905  # as above


def test_a_value_that_does_not_look_like_a_secret_is_kept_under_any_key() -> None:
    for value in HARMLESS_VALUES:
        for key in ("spark.a.token", "api_key"):
            assert REDACTOR.setting(key, value) == value


def test_digits_are_masked_as_passwords_but_not_as_short_tokens() -> None:
    assert REDACTOR.setting("db.password", "123456") == MASK
    assert REDACTOR.setting("token", "123456") == "123456"
    assert REDACTOR.setting("token", "12345678") == MASK
    assert REDACTOR.setting("pass", "silver") == "silver"
    assert REDACTOR.setting("pass", "Silver7") == MASK


def test_a_secret_key_is_recognized_in_text() -> None:
    for key in SECRET_KEYS:
        assert REDACTOR.text(f"x {key}={KEY_SECRET} y") == f"x {key}={MASK} y"


@pytest.mark.parametrize("key", ["\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44", "pass\u200bword"])
def test_a_key_in_other_spellings_is_recognized(key: str) -> None:
    assert REDACTOR.setting(key, "z") == MASK
    assert REDACTOR.arguments([f"--{key}=z"]) in ([f"--{key}={MASK}"], [f"--password={MASK}"])
    assert REDACTOR.text(f"x {key}=z7") in {f"x {key}={MASK}", f"x password={MASK}"}


def test_the_value_of_a_harmless_key_is_kept() -> None:
    for key in HARMLESS_KEYS:
        assert REDACTOR.setting(key, "a b") == "a b"
        assert REDACTOR.json({key: "x"}) == {key: "x"}
        assert REDACTOR.arguments([f"--{key}=a", f"--{key}", "a b"]) == [f"--{key}=a", f"--{key}", "a b"]


def test_the_value_of_a_harmless_key_is_masked_as_text() -> None:
    assert REDACTOR.setting("spark.mongodb.uri", "mongodb://u:p@h.example/x") == f"mongodb://u:{MASK}@h.example/x"
    assert REDACTOR.setting("a" * 600, "b") == "b"
    assert REDACTOR.setting("a" * 600 + "password", "b") == MASK
    assert REDACTOR.texts([None, "", "x", "password=x"]) == [None, "", "x", f"password={MASK}"]


@pytest.mark.parametrize(
    "text",
    [
        "--class X --conf a.b=c --conf 'spark.x.password=§k v§' --token §x§ --name 'my job'",
        '--conf "spark.password=§a b§" --conf "spark.x=1 2"   --token "§q r§" x',
        "--conf a.secret='§q w§' --conf b.c=d",
        r"--conf a.secret=§q\ w§ --conf b.c=d",
        "--conf=fs.secret=§z§ \\\n --conf b=c",
        "--conf oss.sk=short --conf b=c",
        '--driver-java-options "-Da=b -Djavax.password=§x§ -Dc=d" --conf x=y',
        "--conf hadoop.security.authorization=true --conf b=c",
        "--conf a.token=§a;b&c=d,e=f§ --conf b=c",
        "--conf a=-----B --conf 'k=§-----BEGIN PRIVATE KEY-----MII§' --conf b=c",
        "--conf a.uri=mongodb://u:§p§@h.example/x --conf b=c",
        "--header Authorization: §Bearer x§",
        "--conf 'spark.secret=§x y§",
        '--conf "spark.secret=§x y§',
        r'--conf "a.secret=§q\" w§" --conf b=c',
        r'--conf "a.b=q\" w" --conf "c.secret=§x y§" --d e',
        "--conf a.token= --conf b=c",
        "--jars x --conf a.authorization=§Basic§ §abc§ --conf b=c",
        "--driver-java-options 'x' curl -u u:§pass§ https://h",
        f"--a §{KEY_ID}§ --b §{KEY_SECRET}§ --c d",
        f"--conf a.token=§x§ --conf b={LONG}",
    ],
)
def test_spark_submit_parameters_keep_their_quotes(text: str) -> None:
    assert REDACTOR.spark_submit_parameters(without_marks(text)) == with_masks(text)


@pytest.mark.parametrize(
    "values",
    [
        ["--db-password", "§x y§", "--table", "t"],
        ["-password", "§x§", "t"],
        ["--password", "'§x y§'", "t"],
        ["--token=§a b&c=d§", "k=v"],
        ["-Dfs.secret=§a b§", "--conf", "spark.x.pw=§z§", "--conf", "a=b"],
        ["password", "§x§", "y"],
        ["fs.oss.accessKeySecret", "§x§", "y"],
        ["db.passwd", "§x§", "MYSQL_PWD", "§x§", "passphrase", "§x§", "refresh_token", "§x§", "access_key_id", "§x§"],
        ["load", "token_refresh_daily", "2024-01-01"],
        ["password:", "§x§", "y"],
        ["password", "=", "§x§", "y", "--token", ":", "§x§"],
        ["-H", "Authorization:", "§Basic§", "§abc§", "https://h/x"],
        ["-H", "Authorization: §Basic abc§", "https://h/x"],
        ["Authorization=§Basic§", "§abc§", "x"],
        ["--authorization", "§Bearer§", "§abc§", "x"],
        ["--auth", "basic", "x"],
        ["curl", "-s", "-u", "user:§my pass§", "https://h/x"],
        ["/bin/curl", "--user=user:§pass§", "-Uu:§pass§", "--user", "u", "x"],
        ["mysql", "-uroot", "-p§my pass§", "-p", "shop"],
        ["sshpass", "-p", "§my pass§", "beeline", "-p§pass§", "-p"],
        ["redis-cli", "-a", "§pass§", "-a", "-x"],
        ["bash", "-c", "curl -u user:§pass§ https://h/x", "-u", "a:b"],
        ["--source", "mysql", "-partitions=4", "-u", "a:b"],
        ["-u", "a:b", "curl"],
        ["--use-token", "--table", "t"],
        ["--use-token", "", "t"],
        ["password"],
        [f"§{KEY_ID}§", f"§{KEY_SECRET}§", "x"],
        [f"§{KEY_SECRET}§", f"id=§{KEY_ID}§", "x"],
        [KEY_SECRET, "x"],
        ["-e", "CREATE TABLE t OPTIONS ('password' '§x§', 'a' 'b'); SET fs.oss.accessKeySecret=§z§; SELECT 1"],
        ['{"db":{"host":"h","password":"§x§"}}', "t"],
        ['[{"configItemKey": "my.pwd", "configItemValue": "§x7§"}]', "t"],
        ["--url", "jdbc:mysql://h/d?user=u&password=§p§"],
        [f"{LONG}=1", f"{LONG}.password=§z§"],
    ],
)
def test_arguments_are_masked_by_format_and_by_the_preceding_argument(values: list[str]) -> None:
    assert REDACTOR.arguments([without_marks(value) for value in values]) == [with_masks(value) for value in values]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": {"password": 5678, "b": [1, None, True]}}, {"a": {"password": MASK, "b": [1, None, True]}}),
        (
            {"token": None, "secret": True, "password": "", "pwd": "z"},
            {"token": None, "secret": True, "password": "", "pwd": MASK},
        ),
        ({"credentials": {"x": "z"}, "tokens": ["z"]}, {"credentials": {"x": MASK}, "tokens": [MASK]}),
        ({"credentials": {"type": "z"}, "maxTokens": 4096}, {"credentials": {"type": "z"}, "maxTokens": 4096}),
        ({"crypto": {"key": KEY_SECRET}}, {"crypto": {"key": MASK}}),
        ({"k": "secret", "v": "z"}, {"k": "secret", "v": MASK}),
        ([{"key": "db.password", "value": 5678}], [{"key": "db.password", "value": MASK}]),
        ({"value": "x", "key": "a.secret", "z": "y"}, {"value": MASK, "key": "a.secret", "z": "y"}),
        ({"configItemKey": "a.pw", "configItemValue": "x"}, {"configItemKey": "a.pw", "configItemValue": MASK}),
        ({"tagKey": "token", "tagValue": "x"}, {"tagKey": "token", "tagValue": MASK}),
        ({"name": "DB_PASSWORD", "value": "x"}, {"name": "DB_PASSWORD", "value": MASK}),
        ({"Key": "password", "Value": "x", "aKey": "b"}, {"Key": "password", "Value": MASK, "aKey": "b"}),
        ({"key": "team", "value": "x"}, {"key": "team", "value": "x"}),
        ({"key": 5, "value": "x"}, {"key": 5, "value": "x"}),
        ({"keys": "password", "value": "x"}, {"keys": "password", "value": "x"}),
        (["--password", "x", "y"], ["--password", MASK, "y"]),
        (["a", 1, "password=x"], ["a", 1, f"password={MASK}"]),
        ({"sparkSubmitParameters": "--conf 'a.token=x y' z"}, {"sparkSubmitParameters": f"--conf 'a.token={MASK}' z"}),
        ({"sparkSubmitParameters": 5}, {"sparkSubmitParameters": 5}),
        ({KEY_ID: 1}, {MASK: 1}),
        ('{"a": {"token": 56789012}}', f'{{"a": {{"token": "{MASK}"}}}}'),
        ('{"a":"{\\"token\\":56789012}","b":"é"}', f'{{"a":"{{\\"token\\":\\"{MASK}\\"}}","b":"é"}}'),
        (' [{"value":"x y","key":"password"}]', f'[{{"value":"{MASK}","key":"password"}}]'),
        (5, 5),
    ],
)
def test_json_is_masked_by_field_by_key_value_pair_and_by_format(value: Any, expected: Any) -> None:
    assert REDACTOR.json(value) == expected


def test_values_nested_too_deep_are_not_shown() -> None:
    nested: Any = "password=x"
    for _ in range(100_000):
        nested = [nested]
    assert REDACTOR.json(nested) == MASK
    assert REDACTOR.text("[" * 100_000 + '"password=x"' + "]" * 100_000) == MASK


def test_a_disabled_redactor_masks_nothing() -> None:
    redactor = Redactor(enabled=False, extra_patterns=["x"])
    for text in map(without_marks, MASKED_TEXTS.values()):
        assert redactor.text(text) == text
        assert redactor.texts([text, None]) == [text, None]
        assert redactor.setting("password", text) == text
        assert redactor.spark_submit_parameters(text) == text
        assert redactor.arguments(["--password", text]) == ["--password", text]
        assert redactor.json({"password": text, "b": [text]}) == {"password": text, "b": [text]}


def test_extra_patterns_mask_the_value_of_a_key_and_their_match_in_text() -> None:
    redactor = Redactor(extra_patterns=["^internal_id$", "emp-[0-9]+", r"\bword\b|"[:-1]])
    assert redactor.setting("Internal_ID", "x") == MASK
    assert redactor.setting("not_internal_id", "x") == "x"
    assert redactor.arguments(["--internal_id", "x", "internal_id=y"]) == ["--internal_id", MASK, f"internal_id={MASK}"]
    assert redactor.text("a internal_id=x EMP-12 b") == f"a internal_id={MASK} {MASK} b"
    assert redactor.text("word password=x") == f"{MASK} password={MASK}"


def test_extra_patterns_do_not_change_masks() -> None:
    redactor = Redactor(extra_patterns=["redacted", "[a-z]", r"\b"])
    assert redactor.text("x password=5") == redactor.text(redactor.text("x password=5"))
    assert redactor.text(MASK) == MASK
    assert redactor.text("5 x 7") == f"5 {MASK} 7"


@pytest.mark.parametrize("pattern", ["(", "a**", "[z-a]"])
def test_an_invalid_extra_pattern_is_reported(pattern: str) -> None:
    with pytest.raises(ValueError, match="is not a regular expression") as caught:
        Redactor(extra_patterns=["fine", pattern])
    assert repr(pattern) in str(caught.value)


@pytest.mark.parametrize("pattern", ["", "a*", "x|"])
def test_an_extra_pattern_that_would_mask_everything_is_reported(pattern: str) -> None:
    with pytest.raises(ValueError, match="matches the empty text") as caught:
        Redactor(extra_patterns=[pattern])
    assert repr(pattern) in str(caught.value)


@pytest.mark.parametrize("word", ["environ", "getenv", "getpass", "os.environ", "System.getenv", "sys.argv", "process.env"])
def test_a_secret_that_begins_like_code_is_masked(word: str) -> None:
    assert REDACTOR.text(f"https://h/x?a=b&Signature={word}7q&c=d") == f"https://h/x?a=b&Signature={MASK}&c=d"
    assert REDACTOR.text(f"password={word}['X']") == f"password={word}['X']"


WORDS = st.lists(
    st.sampled_from(["load", "表", "orders,", "2024-01-01", "4g", "(x)", "x=1", "https://h/p?q=1", "k: v", "\n"]), max_size=4
)


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_generated_secrets_are_masked_and_the_rest_is_kept(form: str, data: st.DataObject) -> None:
    secrets, write = FORMS[form]
    secret, before, after = data.draw(secrets), " ".join([*data.draw(WORDS), ""]), " ".join(["", *data.draw(WORDS)])
    written = write(secret)
    expected = write(MASK)
    if form in WHOLE_VALUES:
        expected = written.replace(WHOLE_VALUES[form](secret), MASK)
    expected = expected.replace(quote(MASK, safe=""), MASK).replace(quote(quote(MASK, safe=""), safe=""), MASK)
    assert REDACTOR.text(before + written + after) == before + expected + after


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data(), before=st.text(), after=st.text())
def test_generated_secrets_are_masked_in_any_context(form: str, data: st.DataObject, before: str, after: str) -> None:
    secrets, write = FORMS[form]
    secret = data.draw(secrets.filter(lambda text: len(text) > 4))
    written = write(secret)
    value = WHOLE_VALUES[form](secret) if form in WHOLE_VALUES else secret
    assume(all(value not in text for text in (before, after, MASK, write(MASK))))
    for masked in (REDACTOR.text(f"{before} {written} {after}"), REDACTOR.spark_submit_parameters(f"{written} {after}")):
        assert value not in masked
    assert all(value not in text for text in REDACTOR.arguments([before, written, after]))
    assert value not in json.dumps(REDACTOR.json({before: [written, 1, {"a": written}]}), ensure_ascii=False)


@given(secret=CHOSEN, before=st.text(max_size=5), after=st.text(max_size=5))
def test_a_user_chosen_secret_is_masked_in_every_position(secret: str, before: str, after: str) -> None:
    assume(not after.isalpha())  # `passwordCheck` does not name a password
    assert REDACTOR.setting(f"{before}password{after}", secret) == MASK
    assert REDACTOR.json({f"{before}secret": secret, "key": "a.pwd", "value": secret})["value"] == MASK
    pair = shlex.quote(f"spark.x.password={secret} ")
    assert REDACTOR.spark_submit_parameters(f"--conf {pair} --conf a=b") == f"--conf 'spark.x.password={MASK}' --conf a=b"
    # A next option is not a value, and quotes around a value stay.
    assume(not secret.startswith("--") and secret.lstrip("\\")[:1] not in {"'", '"', "`"})
    assert REDACTOR.arguments([before, "--db-token", secret, after])[2] == MASK
    assert REDACTOR.arguments([before, f"--db-token={secret}", after])[1] == f"--db-token={MASK}"


# What redaction looks at, in any order: none of it means anything, and nearly everything could.
GRAINS = [
    *[
        "password",
        "token",
        "sk",
        "key",
        "value",
        "secret",
        "identified by",
        "cookie",
        "Authorization",
        "Bearer ",
        "密码",
        "x",
        "1",
        "80",
    ],
    *[
        "=",
        ":",
        "\uff1a",
        "->",
        "=>",
        ">",
        "<",
        "</name>",
        "%3D",
        "%26",
        "%40",
        "%3A%2F%2F",
        "%3A",
        "\\u003d",
        ".",
        "_",
        "%",
        "redacted",
        MASK,
    ],
    *[
        '"',
        "'",
        "`",
        "\\",
        '\\"',
        "://",
        "u",
        "@",
        "/",
        "?",
        "&",
        ";",
        ",",
        "--",
        "-p",
        "--conf",
        "a.b",
        "h.com",
        " ",
        "\n",
        "\0",
        "\ud800",
    ],
    *[
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        '{"password":1}',
        "jdbc:oracle:thin:",
        "hooks.slack.com/services/",
        "-----BEGIN X-----",
        "-----END X-----",
    ],
    *["curl", "mysql", "redis-cli", "-u", "-a", "-p1", "machine", "login", "Basic"],
    *["ossAk", "dbPw", "reqSig", "blobSas", "X", "_"],
    *[KEY_ID, KEY_SECRET, JWT, "STS.abcdefgh", "ghp_abcdefghijklmnopqrst"],
]
SOUP = st.lists(st.sampled_from(GRAINS), max_size=15).map("".join)
ANY_TEXT = SOUP | st.text(st.characters(exclude_categories=())) | st.text(st.sampled_from(string.printable))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | ANY_TEXT,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(SOUP | st.sampled_from(["key", "value", "name"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@example(text="'value[a.bpassword=`ghp_abcdefghijklmnopqr\"token`Bearer }-----END X-----")
@given(text=ANY_TEXT)
def test_masking_text_is_idempotent(text: str) -> None:
    for mask in (REDACTOR.text, REDACTOR.spark_submit_parameters, lambda value: REDACTOR.setting("a", value)):
        masked = mask(text)
        assert mask(masked) == masked


@given(values=st.lists(ANY_TEXT, max_size=5))
def test_masking_arguments_is_idempotent(values: list[str]) -> None:
    masked = REDACTOR.arguments(values)
    assert len(masked) == len(values)
    assert REDACTOR.arguments(masked) == masked


@example(value={f"ossAk{KEY_ID}": 0.0})
@given(value=ANY_JSON)
def test_masking_json_is_idempotent(value: Any) -> None:
    masked = REDACTOR.json(value)
    assert REDACTOR.json(masked) == masked
    text = REDACTOR.text(json.dumps(value))
    assert REDACTOR.text(text) == text


# A pattern of the user variants the quick test for harmless values off; this one is never found.
THOROUGH = Redactor(extra_patterns=["(?!)x"])


@given(text=ANY_TEXT)
def test_the_quick_test_misses_no_secret(text: str) -> None:
    assert REDACTOR.text(text) == THOROUGH.text(text)
    assert REDACTOR.spark_submit_parameters(text) == THOROUGH.spark_submit_parameters(text)


@given(text=ANY_TEXT, key=SOUP)
def test_only_suspicious_text_is_masked(text: str, key: str) -> None:
    for masked, unmasked in ((REDACTOR.text(text), text), (REDACTOR.spark_submit_parameters(text), text)):
        assert masked == unmasked or re.search(SUSPICION, unmasked)
    assert REDACTOR.setting(key, text) == text or re.search(SUSPICION, key) or re.search(SUSPICION, text)


@given(values=st.lists(SOUP | st.sampled_from(GRAINS), max_size=6))
def test_arguments_without_a_suspicious_one_are_not_masked(values: list[str]) -> None:
    assert REDACTOR.arguments(values) == values or any(re.search(SUSPICION, value) for value in values)


@pytest.mark.parametrize("text", [without_marks(text) for text in MASKED_TEXTS.values()])
def test_the_screen_of_columns_misses_no_known_format(text: str) -> None:
    assert pc.match_substring_regex(pa.array([text]), SUSPICION).to_pylist() == [True]


def test_every_secret_key_is_suspicious() -> None:
    for key in SECRET_KEYS:
        assert re.search(SUSPICION, key)


def test_the_screen_depends_on_the_settings() -> None:
    assert Redactor(enabled=False).screen("text") == Screen(None)
    assert THOROUGH.screen("text") == Screen("")


@pytest.mark.parametrize("text", [without_marks(text) for text in MASKED_TEXTS.values()])
def test_the_quick_test_misses_no_known_format(text: str) -> None:
    assert REDACTOR.text(text) == THOROUGH.text(text)
    for word in text.split():
        assert REDACTOR.text(word) == THOROUGH.text(word)


# Were a pattern not linear, one of these would take hours, and the suite's time limit would end it.
@pytest.mark.parametrize("start", ["", "password=", "://u:", '"token": "', "-----BEGIN X-----", '{"password": "'])
@pytest.mark.parametrize(
    "grain", [*GRAINS, "a", "a ", "a.b=", ",a", "&a=", "''", "a:b@", "--token ", "\\\\", "%25", "token[", '"a",', "LTAI", "eyJa."]
)
def test_long_repetitions_are_masked_without_catastrophic_backtracking(start: str, grain: str) -> None:
    masked = REDACTOR.text(start + grain * (100_000 // len(grain)))
    assert len(masked) < 2_000_000


@given(start=SOUP, grains=SOUP.filter(bool), end=SOUP)
def test_random_repetitions_are_masked_without_catastrophic_backtracking(start: str, grains: str, end: str) -> None:
    text = start + grains * (20_000 // len(grains)) + end
    REDACTOR.spark_submit_parameters(text)
    REDACTOR.arguments([text, text])


@pytest.mark.parametrize(
    "module",
    [
        shell,
        tokens,
        markup,
        named,
        redactor,
        addresses,
        names,
        patterns,
        token_formats,
        values,
    ],
)
def test_patterns_have_no_possessive_groups(module: ModuleType) -> None:
    # Python before 3.11.5 matches those wrongly, and secrets stay (CPython gh-106052).
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    assert re.findall(r"\)(?:[*+?]|\{+\d*,\d*\}+)\+(?!\))", source) == []
