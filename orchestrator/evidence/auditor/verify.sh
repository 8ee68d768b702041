#!/bin/sh
# Verifies this bundle. Needs sha256sum and ssh-keygen, and what every POSIX system has; nothing of Steward.
#
#   sh verify.sh [--all] [TRUSTED_SIGNERS]
#
# --all checks the signature of every record, not only the last of each key (the hashes carry that one to all
# before it). TRUSTED_SIGNERS is an allowed_signers file that you got in another way than this bundle.
# Ends with 0 when all holds, with 1 at the first thing that does not.
set -eu
LC_ALL=C
export LC_ALL
every=no
if [ "${1:-}" = --all ]; then every=yes; shift; fi
trusted=${1:-}
if [ -n "$trusted" ]; then trusted=$(cd "$(dirname "$trusted")" && pwd)/$(basename "$trusted"); fi
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad() { echo "BAD: $*"; exit 1; }
same() { # FILE FILE WHAT: name the first line that differs, counted from 0 as records are
    cmp -s "$1" "$2" && return
    bad "record $(($(awk 'NR==FNR {a[NR]=$0; n=NR; next} a[FNR]!=$0 {print FNR; d=1; exit} END {if (!d) print FNR+1}' "$1" "$2") - 1)): $3"
}
line() { sed -n "$2p" "$1"; }

# 1. The files are those that were exported, and no others.
sha256sum -c SHA256SUMS >"$work/sums" 2>&1 || bad "files differ from SHA256SUMS: $(grep -v ': OK$' "$work/sums" | head -n 3)"
sed 's/^[0-9a-f]* [ *]//' SHA256SUMS | sort >"$work/listed"
find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.sig | sed 's|^\./||' | sort >"$work/found"
cmp -s "$work/listed" "$work/found" || bad "files that SHA256SUMS does not list, or the other way round"

# 2. Each record is what its hash says, has its number, and names the record before it.
part='^{"record":\({.*}\),"sha256":"\([0-9a-f]\{64\}\)","signature":"\([A-Za-z0-9+/=]*\)"}$'
sed -n "s|$part|\\1|p" chain.jsonl >"$work/records"
sed -n "s|$part|\\2|p" chain.jsonl >"$work/hashes"
sed -n "s|$part|\\3|p" chain.jsonl >"$work/signatures"
count=$(wc -l <"$work/records" | tr -d ' ')
[ "$count" = "$(wc -l <chain.jsonl | tr -d ' ')" ] || bad "chain.jsonl has lines that are no records"
[ "$count" -gt 0 ] || bad "chain.jsonl has no record"
mkdir "$work/apart"
(cd "$work/apart" && split -a 5 -l 1 ../records && find . -type f | sort | xargs sha256sum) | sed 's/ .*//' >"$work/computed"
same "$work/computed" "$work/hashes" "its content is not what its hash says"
awk '{print NR - 1}' "$work/records" >"$work/wanted"
sed 's/.*"number":\([0-9]*\),"payloads":.*/\1/' "$work/records" >"$work/numbers"
same "$work/wanted" "$work/numbers" "another number stands in its place: records were deleted or moved"
{ printf '%064d\n' 0; sed '$d' "$work/hashes"; } >"$work/wanted"
sed 's/.*"previous":"\([0-9a-f]*\)","schema":.*/\1/' "$work/records" >"$work/previous"
same "$work/wanted" "$work/previous" "it does not follow the record before it"

# 3. Which key was in force when, by the chain itself.
grep -nE '"kind":"key_(created|rotated)"' "$work/records" |
    sed 's/^\([0-9]*\):.*"public_key":"ssh-ed25519 \([A-Za-z0-9+/=]*\)".*"kind":"key_\([a-z]*\)".*/\1 \3 \2/' >"$work/keys"
from=0
key=
: >"$work/epochs"
while read -r at kind blob; do
    begin=$at
    [ "$kind" = created ] || begin=$((at + 1))
    [ "$from" -eq 0 ] || echo "$from $((begin - 1)) $key" >>"$work/epochs"
    if [ "$kind" = created ] && [ "$at" -ne 1 ]; then
        [ -n "$trusted" ] && grep -qF "$blob" "$trusted" || bad "record $((at - 1)): no earlier key vouches for its key, nor does TRUSTED_SIGNERS"
    fi
    from=$begin
    key=$blob
done <"$work/keys"
[ "$(head -n 1 "$work/keys" | cut -d ' ' -f 1,2)" = "1 created" ] || bad "record 0: it brings no key"
[ "$from" -gt "$count" ] || echo "$from $count $key" >>"$work/epochs"
first=$(head -n 1 "$work/keys" | cut -d ' ' -f 3)
if [ -n "$trusted" ] && ! grep -qF "$first" "$trusted"; then bad "record 0: its key is not in TRUSTED_SIGNERS"; fi

# 4. Signatures.
signed() { # BLOB NAMESPACE SIGNATURE CONTENT
    echo "steward-evidence namespaces=\"$2\" ssh-ed25519 $1" >"$work/allowed"
    ssh-keygen -Y verify -f "$work/allowed" -I steward-evidence -n "$2" -s "$3" <"$4" >/dev/null 2>&1
}
record_signed() { # LINE BLOB
    line "$work/records" "$1" >"$work/one"
    { echo "-----BEGIN SSH SIGNATURE-----"; line "$work/signatures" "$1" | fold -w 70; echo "-----END SSH SIGNATURE-----"; } >"$work/one.sig"
    signed "$2" steward-evidence@v1 "$work/one.sig" "$work/one" || bad "record $(($1 - 1)): not signed by the key in force"
}
while read -r begin end blob; do
    at=$end
    [ "$every" = no ] || at=$begin
    while [ "$at" -le "$end" ] && [ "$begin" -le "$end" ]; do
        record_signed "$at" "$blob"
        at=$((at + 1))
    done
    echo "ssh-ed25519 $blob" >"$work/key.pub"
    print=$(ssh-keygen -lf "$work/key.pub" | cut -d ' ' -f 2)
    grep -F '"kind":"key_revoked"' "$work/records" | grep -F "\"fingerprint\":\"$print\"" |
        sed 's/.*"since":\([0-9]*\)}.*/\1/' >"$work/since" || true
    while read -r since; do
        [ "$since" -ge "$end" ] || bad "records $since to $((end - 1)): signed by $print, which was revoked from record $since on"
    done <"$work/since"
done <"$work/epochs"

# 5. The documents of the period: each is the one that its record names, or has a tombstone.
read -r begin end <period.txt
sed 's/.*"ended_at":"\([^"]*\)","fence":.*/\1/' "$work/records" |
    awk -v from="$begin" -v to="$end" '$0 >= from && $0 < to {print NR}' >"$work/period"
documents=0
erased=0
while read -r at; do
    line "$work/records" "$at" | tr ',{}' '\n\n\n' | sed -n 's/^"commitment":"\([0-9a-f]*\)"$/\1/p' >"$work/commitments"
    while read -r wanted; do
        grep "^$wanted " payloads.txt >"$work/row" || bad "record $((at - 1)): a document is not in this bundle"
        read -r wanted state stored salt document <"$work/row"
        line "$work/records" "$at" | grep -qF "\"sha256\":\"$stored\"" || bad "record $((at - 1)): payloads.txt names another document"
        if [ "$state" = erased ]; then
            grep -F '"kind":"payload_tombstone"' "$work/records" | grep -qF "\"sha256\":\"$stored\"" ||
                bad "record $((at - 1)): a document is gone and no tombstone says why"
            erased=$((erased + 1))
        else
            got=$(cat "$salt" "$document" | sha256sum | cut -d ' ' -f 1)
            [ "$got" = "$wanted" ] || bad "record $((at - 1)): $document is not the document of the record"
            documents=$((documents + 1))
        fi
    done <"$work/commitments"
done <"$work/period"

# 6. Reviews: the reviewer's own signature, the same as in the chain.
reviews=0
while read -r at reviewer; do
    line "$work/records" $((at + 1)) | grep -F '"kind":"review"' | grep -qF "$(sed '1d;$d' "reviews/$at.sig" | tr -d '\n')" ||
        bad "record $at: the review in this bundle is not the one of the chain"
    ssh-keygen -Y verify -f reviews/allowed_signers -I "$reviewer" -n steward-review@v1 -s "reviews/$at.sig" <"reviews/$at.json" >/dev/null 2>&1 ||
        bad "record $at: the review is not signed by $reviewer"
    reviews=$((reviews + 1))
done <reviews/index.txt

# 7. What others kept of the chain.
anchored=
while read -r number hash anchor; do
    [ "$(line "$work/hashes" $((number + 1)))" = "$hash" ] || bad "record $number: $anchor knows another one"
    anchored="record $number by $anchor"
done <anchors.txt

# 8. The list of files, and with it the tables, is by the holder of the last key.
signed "$key" steward-export@v1 SHA256SUMS.sig SHA256SUMS || bad "SHA256SUMS is not signed by the last key of the chain"
echo "GOOD: $count records, $documents documents and $erased tombstones of the period, $reviews reviews"
echo "head: record $((count - 1)) $(tail -n 1 "$work/hashes")"
echo "first key: $(echo "ssh-ed25519 $first" >"$work/key.pub"; ssh-keygen -lf "$work/key.pub" | cut -d ' ' -f 2)"
[ -n "$trusted" ] || echo "the first key was not held against anything: ask for its fingerprint in another way"
if [ -n "$anchored" ]; then echo "anchored: $anchored; ask the anchor itself"; else echo "internally consistent only: no anchor knows this chain"; fi
