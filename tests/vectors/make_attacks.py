#!/usr/bin/env python3
"""Makes the attack vectors: make_attacks.py [DIR], by default `attacks` beside this file. The same bytes every time.

Where an attack breaks the grammar, the file is sealed again with the true key, so that nothing but the grammar's check
can refuse it. Needs what tests/reference.py needs.
"""
import base64, json, os, re, sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True
from reference import (AESGCM, Keys, b64, mac256, open_file, pad, raw_key_text, raw_slot, scrypt_slot, seal_message,
                       wrap_parts, write_file)

PASSWORD, LN = "correct horse battery staple", 14
RAW = b"\x33" * 32
KEY, OTHER_KEY = {"key": raw_key_text(RAW)}, {"key": raw_key_text(b"\x44" * 32)}
BY_PASSWORD = {"password": PASSWORD}
FID, OTHER_FID = bytes(range(16)), bytes(range(16, 32))
DEK, OLD_DEK = b"\x42" * 32, b"\x24" * 32
VALUES = [("DATABASE_URL", "postgres://app:pa$$word@db:5432/app", False), ("LOG_LEVEL", "info", True), ("REGION", "eu", True),
          ("JWT_SECRET", "", False), ("API_KEY", "sk_test_new", False)]
ROTATION = "rotation name=API_KEY at=2026-11-22T10:00:00Z previous=%s until=2026-11-23T10:00:00Z"
CASES, FILES = [], {}


# Files that are right.

def password_slot(ident="team", ln=LN, salt=b"\x11", password=PASSWORD):
    return scrypt_slot(ident, password, ln, salt * 32)


def key_slot(ident="ci", key=RAW, salt=b"\x22"):
    return raw_slot(ident, key, salt * 32)


def rotation(keys):
    return ROTATION % b64(keys.encrypt(b"API_KEY", b"sk_test_old", b"\xb1" * 12, b"previous"))


def sealed(slots=None, values=VALUES, label="production", rev=7, fid=FID, dek=DEK, headers=(rotation,), nonce=0xa1):
    nonces = [bytes([nonce + n]) * 12 for n in range(len(values))]
    slots = slots or [password_slot(), key_slot()]
    return write_file(slots, values, label, rev, fid, dek, headers, nonces, ["# database"])[0].decode()


BASE = sealed()
KEYS = Keys(FID, DEK)
EXPECTED = {name: value for name, value, _ in VALUES}


# Edits.

def line(start, text=BASE):
    return next(l for l in text.split("\n") if l.startswith(start)) + "\n"


def edit(old, new, text=BASE):
    assert old in text, old
    return text.replace(old, new, 1)


def value_of(name, text=BASE):
    return line(name + "=", text).rstrip("\n").partition("=")[2]


def with_value(name, value, text=BASE):
    return edit(line(name + "=", text), "%s=%s\n" % (name, value), text)


def before_seal(header, text=BASE):
    return edit("#envsec:seal", header + "\n#envsec:seal", text)


def field(name, text):
    return re.search(r" %s=(\S+)" % name, text)[1]


def slot_line(slot, wrapped, keys=KEYS):
    """The line of a slot that wraps any data key, with the secret that opens it and the KEY of the given keys."""
    desc, secret_of = slot
    aead, nonce, aad = wrap_parts(keys.key_id, secret_of(keys.fid, desc), desc.encode())
    return "#envsec:slot %s wrap=%s\n" % (desc, b64(aead.encrypt(nonce, wrapped, aad)))


def payload(text):
    if not text.startswith("enc:"):
        return b"P", text.encode()
    return b"E", base64.urlsafe_b64decode(text[4:] + "=" * (-len(text[4:]) % 4))


def resealed(text, keys=KEYS):
    """The text with the seal that somebody with the key would put there, whatever stands in it."""
    lines = text.split("\n")
    at = next(n for n, l in enumerate(lines) if l.startswith("#envsec:seal "))
    headers = [l[len("#envsec:"):] for l in lines[1:at]]
    entries = [l.partition("=")[::2] for l in lines[at + 1:] if l.strip() and not l.startswith("#")]
    rev = int(re.search("rev=([0-9]+)", lines[at])[1])
    message = seal_message(lines[0][len("#envsec:"):], headers, rev, [(name, *payload(value)) for name, value in entries])
    lines[at] = "#envsec:seal rev=%d mac=%s" % (rev, b64(mac256(keys.seal, message)))
    return "\n".join(lines)


def loose_end(text):
    """Base64 whose unused bits are not zero."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(text) % 4
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


def flipped(text, at=5):
    return text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1:]


# The index.

def case(attacks, file, expected, what, text=None, credential=KEY, values=EXPECTED, **more):
    file += ".env"
    if text is not None:
        assert file not in FILES and text != BASE or file == "base.env", file
        FILES[file] = text if isinstance(text, bytes) else text.encode()
    row = {"file": file, "attacks": attacks, "expected": expected, "what": what, **credential, **more}
    CASES.append(row if expected != "opens" else {**row, "values": values})


def entries():
    case([], "base", "opens", "the file that the others were made from", BASE)
    case([], "base", "opens", "the same, by its password", credential=BY_PASSWORD)
    case([3], "secret-deleted", "not-authentic", "an encrypted entry deleted", edit(line("JWT_SECRET="), ""))
    case([3], "plain-deleted", "not-authentic", "a plain entry deleted", edit(line("REGION="), ""))
    case([3], "entries-deleted", "malformed", "all entries deleted; a rotation line stays", BASE[:BASE.index("# database")])
    case([4], "empty-inserted", "not-authentic", "an empty plain entry inserted", edit("REGION=", "NEW=\nREGION="))
    case([5], "plain-inserted", "not-authentic", "a plain entry inserted", edit("REGION=", "NODE_OPTIONS=--inspect\nREGION="))
    case([6], "name-twice", "malformed", "a duplicate name at the end, sealed", resealed(BASE + "REGION=us\n"))
    case([6], "secret-name-twice", "malformed", "a plain value for an encrypted name at the end, sealed", resealed(BASE + "API_KEY=x\n"))
    case([7], "line-repeated", "malformed", "a line repeated, sealed", resealed(edit(line("REGION="), line("REGION=") * 2)))
    case([7], "secret-repeated", "malformed", "an encrypted line repeated, sealed", resealed(edit(line("JWT_SECRET="), line("JWT_SECRET=") * 2)))
    case([8], "plain-renamed", "not-authentic", "a plain entry renamed", edit("REGION=", "REGIOM="))
    case([8], "name-case", "not-authentic", "a plain entry's name in other case", edit("REGION=", "region="))
    case([9], "secret-renamed", "not-authentic", "an encrypted entry renamed", edit("JWT_SECRET=", "JWT_SECRETS="))
    case([10], "bytes-shifted", "not-authentic", "bytes moved from one plain value to the next", edit("=info\nREGION=eu", "=infoe\nREGION=u"))
    case([10], "name-bytes-shifted", "not-authentic", "a byte moved from a plain value to the next name", edit("=info\nREGION", "=inf\noREGION"))
    case([10], "plain-changed", "not-authentic", "a plain value changed", edit("=info", "=debug"))
    case([10], "plain-emptied", "not-authentic", "a plain value emptied", edit("=info", "="))
    case([10], "quotes-added", "not-authentic", "a plain value quoted", edit("=info", "='info'"))
    case([10], "inline-comment-added", "not-authentic", "a comment after a plain value", edit("=info", "=info # x"))
    case([10], "blank-added", "not-authentic", "a blank after a plain value", edit("=info", "=info "))
    commented = resealed(edit("=info", "=info # how much"))
    case([10], "inline-comment", "opens", "a comment after a plain value, sealed", commented)
    case([10], "inline-comment-changed", "not-authentic", "that comment changed", edit("how much", "how Much", commented))
    swapped = with_value("API_KEY", value_of("JWT_SECRET"), with_value("JWT_SECRET", value_of("API_KEY")))
    case([11], "tokens-swapped", "not-authentic", "two tokens swapped", swapped)
    case([11], "tokens-swapped-sealed", "bad-value", "two tokens swapped, sealed: each is bound to its name", resealed(swapped))
    case([12], "plain-reordered", "not-authentic", "two plain entries reordered", edit("LOG_LEVEL=info\nREGION=eu\n", "REGION=eu\nLOG_LEVEL=info\n"))
    jwt, api = line("JWT_SECRET="), line("API_KEY=")
    case([12], "secrets-reordered", "not-authentic", "two encrypted entries reordered", edit(jwt + api, api + jwt))
    case([13], "secret-made-plain", "not-authentic", "a token replaced by the same value in plain", with_value("DATABASE_URL", "'%s'" % VALUES[0][1]))
    case([13], "rotated-made-plain", "malformed", "the same for a name with a rotation line", with_value("API_KEY", "sk_test_new"))
    case([14], "plain-made-token", "not-authentic", "a plain value replaced by a token", with_value("REGION", value_of("JWT_SECRET")))
    quoted = '"%s"' % value_of("JWT_SECRET")
    case([15], "token-quoted", "not-authentic", "a token put in quotes", with_value("JWT_SECRET", quoted))
    case([15], "quoted-token-sealed", "opens", "a plain value in quotes that looks like a token", resealed(with_value("REGION", quoted)),
         values={**EXPECTED, "REGION": quoted.strip('"')})
    newer = sealed(values=[*VALUES[:4], ("API_KEY", "sk_test_newer", False)], rev=8, nonce=0xc1)
    case([16], "value-rolled-back", "not-authentic", "one value rolled back to an older token", with_value("API_KEY", value_of("API_KEY"), newer))
    case([48], "newer-revision", "opens", "the next revision", newer, values={**EXPECTED, "API_KEY": "sk_test_newer"})
    foreign = value_of("API_KEY", sealed(fid=OTHER_FID))
    case([17], "foreign-token", "not-authentic", "a token of another file with the same data key", with_value("API_KEY", foreign))
    case([17], "foreign-token-sealed", "bad-value", "the same, sealed: a token is bound to its file", resealed(with_value("API_KEY", foreign)))


def text():
    case([18], "comment-edited", "opens", "a comment edited", edit("# database", "# a Database"))
    case([18], "comments-added", "opens", "comments and blank lines added", edit("REGION=", "# where\n\n \t\n#\nREGION=") + "# end\n\n")
    case([18], "comment-indented", "malformed", "a comment that does not start in the first column", edit("# database", " # database"))
    case([18], "comment-removed", "opens", "a comment removed", edit("# database\n", ""))
    case([2, 18], "no-last-line-end", "opens", "without the last line end", BASE[:-1])
    case([19], "crlf", "opens", "CRLF throughout", BASE.replace("\n", "\r\n"))
    case([19], "mixed-lf-last", "malformed", "CRLF, and LF on the last line", BASE.replace("\n", "\r\n")[:-2] + "\n")
    case([19], "mixed-crlf-once", "malformed", "LF, and CRLF on one comment", edit("# database\n", "# database\r\n"))
    case([20], "byte-order-mark", "malformed", "a byte order mark", "\ufeff" + BASE)
    case([20], "byte-order-mark-below", "malformed", "a byte order mark below the seal", edit("# database", "\ufeff# database"))
    case([20], "not-utf-8", "malformed", "a comment that is not UTF-8", BASE.encode().replace(b"# database", b"# caf\xe9"))
    case([20], "nul", "malformed", "NUL in a comment", edit("# database", "# data\0base"))
    case([20], "empty", "malformed", "no byte at all", "")
    for number, marker in enumerate(["<<<<<<< HEAD", "||||||| 1234567", "=======", ">>>>>>> theirs"], 1):
        case([39], "conflict-%d" % number, "conflict", "a git conflict marker", edit("REGION=", marker + "\nREGION="))
    case([39], "conflict-in-header", "conflict", "conflict markers around the seal line",
         edit(line("#envsec:seal"), "<<<<<<< HEAD\n%s=======\n%s>>>>>>> theirs\n" % (line("#envsec:seal"), line("#envsec:seal"))))


def magic():
    fid, key = field("file", BASE), field("key", BASE)
    case([21], "label-changed", "not-authentic", "the label changed", edit("label=production", "label=staging"))
    case([21], "label-removed", "not-authentic", "the label removed", edit(" label=production", ""))
    case([21], "label-malformed", "malformed", "a label in capitals", edit("label=production", "label=Production"))
    case([22], "file-id-changed", "wrong-credential", "the file id changed", edit(fid, b64(OTHER_FID)))
    case([22], "file-id-changed", "wrong-credential", "the same, by password", credential=BY_PASSWORD)
    case([23, 41], "key-changed", "wrong-credential", "key= changed", edit(key, b64(b"\x99" * 32)))
    case([23, 41], "key-changed", "wrong-credential", "the same, by password", credential=BY_PASSWORD)
    case([24], "version-2", "newer", "version 2", edit("#envsec:1 ", "#envsec:2 "))
    case([24], "version-01", "malformed", "version 01", edit("#envsec:1 ", "#envsec:01 "))
    case([24], "suite", "newer", "another suite", edit("A256GCM-HS256", "C20P-HS256"))
    case([24], "suite-too-long", "malformed", "a suite of 65 characters", edit("A256GCM-HS256", "A" * 65))
    case([24], "suite-not-ascii", "malformed", "a suite that is not ASCII", edit("A256GCM-HS256", "caf\u00e9"))
    case([24], "magic-field", "malformed", "one more field in line 1, sealed", resealed(edit("label=production", "label=production x=1")))
    case([24], "magic-order", "malformed", "fields of line 1 in another order, sealed", resealed(edit("file=%s key=%s" % (fid, key), "key=%s file=%s" % (key, fid))))
    case([36], "magic-twice", "malformed", "a second magic line, sealed", resealed(edit("\n", "\n" + line("#envsec:1"))))
    case([36], "magic-second", "malformed", "the magic line on line 2", "\n" + BASE)
    case([36], "magic-after-comment", "malformed", "the magic line after a comment", "# mine\n" + BASE)
    case([48], "base", "wrong-pin", "an older revision with a pin", pin="%s:%s:8" % (fid, key))
    case([48], "base", "opens", "the revision that the pin asks for", pin="%s:%s:7" % (fid, key))
    case([48], "base", "wrong-pin", "a pin with another data key", pin="%s:%s:1" % (fid, b64(b"\x99" * 32)))
    case([48], "base", "wrong-pin", "a pin for another file", pin="%s:%s:1" % (b64(OTHER_FID), key))
    case([49], "base", "opens", "in its environment", env="production")
    case([49], "staging", "wrong-label", "the file of another label in its place", sealed(label="staging", fid=OTHER_FID), env="production")
    case([49], "no-label", "wrong-label", "a file without a label in its place", sealed(label=None), env="production")


def slots():
    team, ci = line("#envsec:slot id=team"), line("#envsec:slot id=ci")
    other = sealed(fid=OTHER_FID, dek=OLD_DEK)
    foreign_slot = line("#envsec:slot id=team", other)
    case([25], "slot-added", "not-authentic", "a slot added", edit(ci, ci + slot_line(key_slot("x", b"\x55" * 32), DEK)))
    case([26], "slot-removed", "not-authentic", "a slot removed", edit(team, ""))
    case([26], "slots-removed", "malformed", "all slots removed, sealed", resealed(edit(team + ci, "")))
    case([27], "slots-reordered", "not-authentic", "two slots reordered", edit(team + ci, ci + team))
    case([28], "slot-id-twice", "malformed", "two slots of one id, sealed", resealed(edit(ci, ci + slot_line(key_slot("ci", b"\x55" * 32), DEK))))
    case([29], "foreign-slot", "wrong-credential", "a slot of another file with the same password", edit(team, foreign_slot), BY_PASSWORD)
    case([29], "foreign-slot", "not-authentic", "the same, by the key of a slot that stayed")
    old = line("#envsec:slot id=team", sealed(dek=OLD_DEK))
    case([30], "old-slot", "wrong-credential", "a slot from before a new data key", edit(team, old), BY_PASSWORD)
    case([30], "old-slot", "not-authentic", "the same, by the key of a slot that stayed")
    case([31], "ln-changed", "wrong-credential", "ln changed by one", edit("ln=14", "ln=15"), BY_PASSWORD)
    case([31], "ln-changed", "not-authentic", "the same, by the key of another slot")
    for number, ln in enumerate(["63", "0", "017", "+17", "0x11", "99999999999", "13", "23", "", "-14"], 1):
        case([32], "ln-malformed-%d" % number, "malformed", "ln=%s, sealed" % ln, resealed(edit("ln=14", "ln=" + ln)), BY_PASSWORD)
    for ln in (21, 22):
        case([32], "ln-%d" % ln, "work-factor", "ln=%d: more than a reader does unasked" % ln, resealed(edit("ln=14", "ln=%d" % ln)), BY_PASSWORD)
    more = "".join(edit("id=team", "id=s%d" % n, edit("ln=14", "ln=20", team)) for n in range(2))
    case([32], "ln-sum", "work-factor", "ln=14, 20 and 20: too much together", resealed(edit(ci, ci + more)), BY_PASSWORD)
    raw = "".join(edit("id=ci", "id=s%d" % n, ci) for n in range(63))
    case([33], "65-slots", "malformed", "65 slots, sealed", resealed(edit(ci, ci + raw)))
    scrypt = "".join(edit("id=team", "id=s%d" % n, edit("ln=14", "ln=20", team)) for n in range(8))
    case([33], "9-scrypt-slots", "malformed", "9 scrypt slots, sealed", resealed(edit(ci, ci + scrypt)), BY_PASSWORD)
    wrap = field("wrap", ci)
    for size in (47, 49, 0):
        case([34], "wrap-%d" % size, "malformed", "a wrap of %d bytes, sealed" % size, resealed(edit(wrap, b64(bytes(size)))))
    case([38], "unknown-slot-type", "opens", "a slot of an unknown type, sealed",
         resealed(edit(ci, ci + "#envsec:slot id=future type=age to=age1xyz wrap=%s\n" % b64(b"\x77" * 48))))
    case([38], "unknown-header", "opens", "a header line of an unknown kind, sealed", resealed(before_seal("#envsec:policy max=3 free")))
    for number, slot in enumerate(["type=Age to=x", "type=a_ge to=x", "type=age to", "type=age to=", "type=age TO=x", "type=age =x",
                                   "type=age to=caf\u00e9", "type=age wrap=x", "type=age  to=x"], 1):
        case([38], "unknown-slot-malformed-%d" % number, "malformed", "a malformed slot of an unknown type, sealed: %s" % slot,
             resealed(edit(ci, ci + "#envsec:slot id=future %s wrap=%s\n" % (slot, b64(b"\x77" * 48)))))
    for number, header in enumerate(["policy", "policy ", "policy  x", "policy x ", "policy caf\u00e9", "Policy x", "p" * 33 + " x", " x"], 1):
        case([38], "unknown-header-malformed-%d" % number, "malformed", "a malformed header line, sealed: %s" % header,
             resealed(before_seal("#envsec:" + header)))
    case([38], "unknown-header-added", "not-authentic", "a header line of an unknown kind, not sealed", before_seal("#envsec:policy max=3 free"))


def base64_forms():
    team, ci, db = line("#envsec:slot id=team"), line("#envsec:slot id=ci"), value_of("DATABASE_URL")
    for name, old in [("file", field("file", BASE)), ("key", field("key", BASE)), ("salt", field("salt", team)),
                      ("raw-salt", field("salt", ci))]:
        case([35], "loose-end-%s" % name, "malformed", "unused bits set in base64: %s, sealed" % name, resealed(edit(old, loose_end(old))))
    mac = field("mac", BASE)
    case([35], "loose-end-mac", "malformed", "unused bits set in base64: mac", edit(mac, loose_end(mac)))
    case([35], "loose-end-token", "malformed", "unused bits set in base64: a token, sealed", resealed(edit(db, loose_end(db))))
    case([35], "padded-mac", "malformed", "base64 with padding: mac", edit(mac, mac + "="))
    case([35], "padded-token", "malformed", "base64 with padding: a token, sealed", resealed(edit(db, db + "=")))
    assert re.search("[-_]", db)
    case([35], "standard-alphabet", "malformed", "the standard alphabet: a token", edit(db, db.replace("-", "+").replace("_", "/")))
    case([35], "short-token", "malformed", "a token of 59 bytes, sealed", resealed(with_value("JWT_SECRET", "enc:" + b64(bytes(59)))))
    case([35], "odd-token", "malformed", "a token of 61 bytes, sealed", resealed(with_value("JWT_SECRET", "enc:" + b64(bytes(61)))))
    case([35], "empty-token", "malformed", "enc: and nothing, sealed", resealed(with_value("JWT_SECRET", "enc:")))


def seal_line():
    seal = line("#envsec:seal")
    case([36], "header-below", "malformed", "a header line below the seal", BASE + "#envsec:policy x\n")
    case([36], "slot-below", "malformed", "a slot below the seal", edit("# database\n", line("#envsec:slot id=ci")))
    case([37], "no-seal", "malformed", "no seal line", edit(seal, ""))
    case([37], "seal-twice", "malformed", "two seal lines", edit(seal, seal * 2))
    case([37], "seal-first", "malformed", "the seal line above the slots", edit("\n", "\n" + seal, edit(seal, "")))
    case([37], "seal-last", "malformed", "the seal line at the end", edit(seal, "") + seal)
    for number, rev in enumerate(["0", "07", "+7", "-7", "7.0", "", "18446744073709551616"], 1):
        case([37], "rev-malformed-%d" % number, "malformed", "rev=%s" % rev, edit("rev=7 ", "rev=%s " % rev))
    case([37], "rev-changed", "not-authentic", "another rev", edit("rev=7 ", "rev=8 "))
    case([37], "rev-largest", "opens", "the largest rev, sealed", resealed(edit("rev=7 ", "rev=18446744073709551615 ")), last=True)
    case([37], "mac-short", "malformed", "a mac of 31 bytes", edit(field("mac", BASE), b64(bytes(31))))
    case([37], "seal-field", "malformed", "one more field in the seal line", edit(seal, seal[:-1] + " x=1\n"))


def rotations():
    previous, current = "enc:" + field("previous", BASE), value_of("API_KEY")
    case([40], "previous-as-value", "not-authentic", "previous= moved to the value", with_value("API_KEY", previous))
    case([40], "previous-as-value-sealed", "bad-value", "the same, sealed: a token is bound to its use", resealed(with_value("API_KEY", previous)))
    twice = line("#envsec:rotation")
    case([40], "rotation-twice", "malformed", "two rotation lines of one name, sealed", resealed(edit(twice, twice * 2)))
    back = edit(previous[4:], current[4:])
    case([40], "value-as-previous", "not-authentic", "the value moved to previous=", back)


def credentials():
    case([41], "base", "wrong-credential", "a wrong password", credential={"password": "correct horse battery stable"})
    case([41], "base", "wrong-credential", "a wrong raw key", credential=OTHER_KEY)
    ci = line("#envsec:slot id=ci")
    case([41], "wrap-damaged", "wrong-credential", "a damaged wrap", edit(field("wrap", ci), flipped(field("wrap", ci))))
    case([42], "wrap-of-other-key", "wrong-credential", "a wrap that opens to a data key which key= does not name",
         resealed(edit(ci, slot_line(key_slot(), OLD_DEK))))
    spelled = sealed(slots=[password_slot(password="caf\u00e9 caf\u00e9 caf\u00e9")])
    case([47], "accents", "opens", "a password in NFC", spelled, {"password": "caf\u00e9 caf\u00e9 caf\u00e9"})
    case([47], "accents", "opens", "the same in NFD", credential={"password": "cafe\u0301 cafe\u0301 cafe\u0301"})


def odd_token(plain):
    """A token of API_KEY with the true key, around a padded text that no writer makes."""
    nonce = b"\xd1" * 12
    return "enc:" + b64(nonce + AESGCM(KEYS.value_key(b"API_KEY")).encrypt(nonce, plain, KEYS.aad(b"API_KEY")))


def bad_values():
    for attack, file, what, plain in [
        (43, "padding-none", "no end of the padding", b"x" * 32),
        (43, "padding-zeros", "zeros only", bytes(32)),
        (43, "padding-block-more", "a block of padding too many", pad(b"x") + bytes(32)),
        (44, "value-with-nul", "NUL in the value", pad(b"a\0b")),
        (44, "value-not-utf-8", "a value that is not UTF-8", pad(b"caf\xe9")),
        (44, "value-surrogate", "a value with a surrogate in it", pad(b"\xed\xa0\x80")),
    ]:
        case([attack], file, "bad-value", what + ", made with the true key", resealed(with_value("API_KEY", odd_token(plain))))


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "attacks")
    for part in (entries, text, magic, slots, base64_forms, seal_line, rotations, credentials, bad_values):
        part()
    assert open_file(BASE.encode(), key=RAW)["names"] == EXPECTED
    for file, data in FILES.items():
        with open(os.path.join(folder, file), "wb") as out:
            out.write(data)
    with open(os.path.join(folder, "index.json"), "w", encoding="utf-8", newline="\n") as out:
        rows = ",\n".join(json.dumps(row, ensure_ascii=True) for row in CASES)
        out.write("[\n%s\n]\n" % rows)


if __name__ == "__main__":
    main()
