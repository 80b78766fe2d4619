"""The forms of tokens that their issuers gave them so that they be found, and of addresses that are secrets as a whole.

Which issuer has which form was taken from the rules of gitleaks (MIT, github.com/gitleaks/gitleaks, config/gitleaks.toml) and the
plugins of detect-secrets (Apache 2.0, github.com/Yelp/detect-secrets); the patterns are rewritten to be
linear, and do not depend on the text around a token. Alibaba's and Tencent's are from their documents.
"""

from __future__ import annotations

import re
from typing import Final

# In RE2's words too: a prefix that is not part of a longer word, and the form of what follows.
_PREFIXED: Final = (
    # Code and packages.
    r"gh[opsru]_\w{16,}|github_pat_\w{16,}|gl(?:pat|ptt|dt|rt|soat|ft|imt|agent|cbt|oas|ffct|rtr)-[\w\-.]{16,}|GR1348941[\w\-]{16,}",
    r"ATBB[A-Za-z0-9]{28,}|npm_[A-Za-z0-9]{30,}|pypi-AgE[\w\-]{30,}|rubygems_[0-9a-f]{40,}|dckr_(?:pat|oat)_[\w\-]{20,}|oy2[a-z0-9]{43}",
    r"CLOJARS_[a-z0-9]{50,}|AKCp[A-Za-z0-9]{60,}|cmVmd[A-Za-z0-9]{50,}|sgp_[A-Za-z0-9_]{40,}|sqp_[0-9a-f]{40}|squ_[0-9a-f]{40}",
    # Clouds and infrastructure.
    r"CAIS[A-Za-z0-9+/=]{40,}|ABSK[A-Za-z0-9+/=]{60,}|do[opr]_v1_[0-9a-f]{40,}|dapi[0-9a-f]{30,}|HRKU-AA[\w\-]{40,}|fo1_[\w\-]{40,}|fm[12][ar]?_[A-Za-z0-9+/=]{60,}",
    r"hv[sbr]\.[\w\-]{20,}|dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.\-]{30,}|pul-[0-9a-f]{40}|tskey-[\w\-]{16,}|v1\.0-[0-9a-f]{24}-[0-9a-f]{60,}|nvapi-[\w\-]{40,}",
    r"AIza[\w\-]{30,}|ya29\.[\w\-.]{16,}|GOCSPX-[\w\-]{20,}|1//0[\w\-]{30,}|IQoJb3JpZ2lu[A-Za-z0-9+/=_\-]{30,}|FwoGZXIvYXdz[A-Za-z0-9+/=_\-]{30,}",
    r"AGE-SECRET-KEY-1[A-Z0-9]{40,}|A3-[A-Z0-9]{6}-[A-Z0-9\-]{20,}|ops_eyJ[\w+/=\-]{40,}|LTAI[A-Za-z0-9]{6,}|sha256~[\w\-]{40,}|pscale_(?:tkn|oauth|pw)_[\w=.\-]{30,}",
    # Mail, chat and office.
    r"SG\.[\w\-]{16,}\.[\w\-]{16,}|xkeysib-[0-9a-f]{40,}[\w\-]*|xsmtpsib-[0-9a-f]{40,}[\w\-]*|key-[0-9a-f]{32}|[0-9a-f]{32}-us[0-9]{1,2}|xox[a-z]-[\w\-]{10,}|xoxe\.[\w.\-]{20,}|xapp-[\w\-]{10,}",
    r"AT(?:ATT|CTT)3xFf[A-Za-z0-9_=\-]{40,}|secret_[A-Za-z0-9]{43}|ntn_[A-Za-z0-9]{40,}|lin_(?:api|oauth)_[A-Za-z0-9]{32,}|fio-u-[\w=\-]{40,}|SEC[0-9a-f]{60,}",
    r"[0-9]{8,10}:AA[\w\-]{30,}",
    # Money and shops.
    r"(?:sk|rk|pk)_(?:live|test|prod)_\w{16,}|whsec_[A-Za-z0-9+/=]{24,}|sq0(?:csp|atp|idp)-[\w\-]{20,}|EAAA[\w\-+=]{56,}|shp(?:at|ca|pa|ss|tka)_[0-9a-fA-F]{32}|EZ[AT]K[A-Za-z0-9]{50,}",
    r"FLWSECK[_\w]{0,8}-[\w\-]{12,}|access-(?:sandbox|development|production)-[0-9a-f\-]{36}|A21AA[\w\-]{60,}",
    # Observation, models and others.
    r"NR(?:AK|II|JS|IQ|RA)-[\w\-]{16,}|[0-9a-f]{36}NRAL|gl(?:sa|c)_[A-Za-z0-9+/=_]{30,}|dt0[a-z]0[0-9]\.[A-Z0-9]{20,}\.[A-Z0-9]{50,}|sntry[su]_[\w=+/\-]{40,}|PMAK-[0-9a-f]{24}-[0-9a-f]{30,}",
    r"sk-(?:proj-|ant-|or-|svcacct-|admin-|lf-)?[\w\-]{20,}|hf_[A-Za-z0-9]{30,}|api_org_[A-Za-z]{30,}|gsk_[A-Za-z0-9]{40,}|pplx-[A-Za-z0-9]{40,}|xai-[A-Za-z0-9]{60,}|r8_[A-Za-z0-9]{36,}|sk_[0-9a-f]{48}",
    r"[A-Za-z0-9]{14}\.atlasv1\.[\w=\-]{50,}|API-[A-Z0-9]{26}|pnu_[A-Za-z0-9]{36}|rdme_[a-z0-9]{60,}|ico-[A-Za-z0-9]{32}|p8e-[a-z0-9]{32}|[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk",
    r"eyJ[\w+/=.\-]{16,}|SK[0-9a-f]{32}|AC[0-9a-f]{32}|duffel_(?:test|live)_[\w=\-]{40,}|t3\.AlibabaCloud[\w\-]{8,}",
)
_EDGE: Final = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-F][0-9A-Fa-f])|(?<=\\[nrt]))"
TOKEN: Final = re.compile(rf"eyJ[\w+/=\-]{{8,}}\.[\w+/=.\-]{{10,}}|{_EDGE}(?:{'|'.join(_PREFIXED)})")
# The same for RE2, which has no lookbehind: a literal of each.
SIGNS: Final = (
    r"LTAI|STS\.|A[KS]IA|AKID|AIza|BEGIN|eyJ|gh[opsru]_|github_|gl[a-z]{2,5}-|GR1348|ATBB|npm_|pypi-|rubygems_|dckr_|oy2|CLOJARS|AKCp|cmVmd"
    r"|sgp_|sq[pu]_|CAIS|ABSK|_v1_|dapi|HRKU|f[om][12][ar]?_|hv[sbr]\.|dp\.|pul-|tskey|v1\.0-|nvapi|ya29|GOCSPX|1//0|IQoJ|FwoG|AGE-|A3-|ops_|sha256~"
    r"|pscale|SG\.|sib-|key-|-us[0-9]|xox|xapp|AT[AC]TT3|secret_|ntn_|lin_|fio-|SEC[0-9a-f]|:AA"
    r"|[srp]k_|whsec|sq0|EAAA|shp|EZ[AT]K|FLWSECK|access-|A21AA|NR[AIJR][A-Z]|gls?[ac]_|dt0|sntry|PMAK|[sS][kK][-_]|hf_|api_org|gsk_|pplx|xai-|r8_|atlasv1|API-|pnu_|rdme|ico-|p8e-"
    r"|_mmk|SK[0-9a-f]|AC[0-9a-f]|duffel|t3\.A"
)


def _outside(width: int) -> str:
    """Return what must precede a literal of so many characters. It stands behind it: beginning with a literal is quick."""
    return rf"(?:(?<![A-Za-z].{{{width}}})|(?<=%[0-9][A-Fa-f].{{{width}}})|(?<=\\[nrt].{{{width}}}))"


_UPPER_EDGE: Final = r"(?:(?<![A-Z].{4})|(?<=%[0-9][A-F].{4}))"
# By the prefixes of Alibaba and its STS, AWS, Tencent. Half of a key, and the sign that the other half may stand beside it.
KEY_ID: Final = re.compile(
    rf"(?:LTAI|STS\.){_UPPER_EDGE}[A-Za-z0-9]{{6,}}|A[KS]IA{_UPPER_EDGE}[A-Z0-9]{{12,}}|AKID{_UPPER_EDGE}[A-Za-z0-9]{{13,}}"
)
# What the vendors issue beside such an id: 30 characters by Alibaba, 44 by its STS, 40 by AWS.
KEY_SECRET: Final = re.compile(
    r"(?=[a-z0-9+/]{0,43}[A-Z])(?=[A-Z0-9+/]{0,43}[a-z])"
    r"(?:(?<![A-Za-z0-9])[A-Za-z0-9]{30}(?:[A-Za-z0-9]{14})?(?![A-Za-z0-9])|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/]))"
)
# At least as long as tokens are: `bearer certificates` is not a secret.
BEARER: Final = re.compile(r"(?P<keep>[Bb](?i:earer)(?:\s++|%20|\+))[\w.~+/=\-]{16,}")
# The addresses by which a job tells a chat of its end: who knows one may write there.
HOOK: Final = re.compile(
    r"(?P<keep>hooks\.slack\.com/(?:services|workflows|triggers)/|/bot/v2/hook/|/webhook/send\?key=|discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/[0-9]{1,24}/"
    r"|\.webhook\.office\.com/webhookb2/|outlook\.office(?:365)?\.com/webhook/|\.logic\.azure\.com[^\s?]{0,256}\?[^\s]{0,256}sig=|api\.telegram\.org/(?:file/)?bot"
    r"|/robot/send\?access_token=|maker\.ifttt\.com/[^\s]{0,128}/key/|hooks\.zapier\.com/hooks/catch/|events\.pagerduty\.com/integration/|chat\.googleapis\.com/v1/spaces/[^\s?]{1,64}\?key=)"
    r"[\w/:@.\-%+=]+"
)
HOOK_SIGNS: Final = r"hook|/bot|robot/send|chat\.googleapis|\.logic\.azure|pagerduty|ifttt"
# Cut off before its END, a key is still a key. Escaped and URL-encoded ones are on one line.
PEM: Final = re.compile(
    r"(?s)-----BEGIN[ +%\w]{0,64}-----.*?(?:-----END[ +%\w]{0,64}-----|\Z)"
    r"|---- BEGIN[ \w]{0,64}KEY ----.*?(?:---- END[ \w]{0,64}----|\Z)"
)
