#!/bin/sh
# Verifies a bundle. Needs sha256sum and ssh-keygen, and what every POSIX system has; nothing of Steward.
#
#   sh verify.sh [--all] [--in BUNDLE] [--seed TEXT] [TRUSTED_SIGNERS]
#
# Whoever made the bundle could have changed the copy of this script inside: take it from elsewhere and name the
# bundle's folder with --in, or compare its SHA-256 with one that you got in another way.
# --all checks the signature of every record, not only the last of each key (the hashes carry that one to all
# before it). --seed draws a sample of runs by a seed of yours. TRUSTED_SIGNERS is an allowed_signers file that you
# got in another way than this bundle: lines with namespaces="steward-review@v1" say whose reviews count, others
# which key a chain may begin with.
# Ends with 0 when all holds, with 1 at the first thing that does not.
set -eu
LC_ALL=C
export LC_ALL
plain='[A-Za-z0-9][A-Za-z0-9._-]*\(/[A-Za-z0-9][A-Za-z0-9._-]*\)*'
usage() { echo "usage: sh verify.sh [--all] [--in BUNDLE] [--seed TEXT] [TRUSTED_SIGNERS]" >&2; exit 2; }
every=no
where=
mine=
while [ $# -gt 0 ]; do
    case $1 in
        --all) every=yes; shift ;;
        --in) [ $# -ge 2 ] || usage; where=$2; shift 2 ;;
        --seed) [ $# -ge 2 ] || usage; mine=$2; shift 2 ;;
        -*) usage ;;
        *) break ;;
    esac
done
trusted=${1:-}
if [ -n "$trusted" ]; then trusted=$(CDPATH='' cd -- "$(dirname -- "$trusted")" && pwd)/$(basename -- "$trusted"); fi
CDPATH='' cd -- "${where:-$(dirname -- "$0")}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Everything in the bundle is somebody else's word: a number is digits before it is calculated with, a path is a plain
# name that SHA256SUMS lists, and what is printed has no control characters.
say() { printf '%s\n' "$*" | tr -cd '[:print:]\n' | cut -c 1-400; }
bad() { say "BAD: $*"; exit 1; }
digits() { case $1 in '' | *[!0-9]* | 0?* | ??????????*) return 1 ;; esac; }
listed() { grep -qxF -e "$1" "$work/listed" || bad "$2 names a file that is not listed: $1"; }
line() { sed -n "$2p" "$1"; }
same() { # FILE FILE WHAT: name the first line that differs, counted from 0 as records are
    cmp -s "$1" "$2" && return
    bad "record $(awk 'NR==FNR {a[NR]=$0; next} a[FNR]!=$0 {print FNR - 1; d=1; exit} END {if (!d) print FNR}' "$1" "$2"): $3"
}

# 1. The files are those that were exported, and no others.
[ -z "$(find . ! -type f ! -type d)" ] || bad "something in the bundle is neither a file nor a folder"
! grep -qv "^[0-9a-f]\{64\}  $plain\$" SHA256SUMS || bad "SHA256SUMS has lines that are not a digest and a plain name"
sed 's/^[0-9a-f]*  //' SHA256SUMS | sort >"$work/listed"
find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.sig | sed 's|^\./||' | sort >"$work/found"
cmp -s "$work/listed" "$work/found" || bad "files that SHA256SUMS does not list, or the other way round"
sha256sum -c SHA256SUMS >"$work/sums" 2>&1 || bad "files differ from SHA256SUMS:" "$(grep -v ': OK$' "$work/sums" | head -n 3)"
for name in allowed_signers anchors.txt chain.jsonl payloads.txt period.txt sample.txt reviews/allowed_signers \
    reviews/index.txt tables/evaluations.csv tables/evaluations.json tables/sample.json; do
    listed "$name" "every bundle"
done

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
: >"$work/trusted"
: >"$work/reviewers"
if [ -n "$trusted" ]; then
    awk '!/^[ \t]*#/ {gsub(/\t/, " "); print tolower($0) "\t" $0}' "$trusted" >"$work/lines"
    awk -F '\t' '$1 !~ /namespaces="/ || $1 ~ /namespaces="([^"]*,)?steward-evidence@v1[,"]/' "$work/lines" |
        cut -f 2- | grep ssh-ed25519 >"$work/trusted" || true
    awk -F '\t' '$1 ~ /namespaces="([^"]*,)?steward-review@v1[,"]/' "$work/lines" | cut -f 2- >"$work/reviewers"
    [ -s "$work/trusted" ] || [ -s "$work/reviewers" ] || bad "TRUSTED_SIGNERS has no Ed25519 key"
fi
grep -nE '"kind":"key_(created|rotated)"' "$work/records" >"$work/changes" || bad "record 0: it brings no key"
sed -n 's/^\([0-9][0-9]*\):.*"public_key":"ssh-ed25519 \([A-Za-z0-9+/]\{68\}\)".*"kind":"key_\([a-z]*\)".*/\1 \3 \2/p' "$work/changes" >"$work/keys"
[ "$(wc -l <"$work/changes" | tr -d ' ')" = "$(wc -l <"$work/keys" | tr -d ' ')" ] || bad "a record brings something that is no Ed25519 key"
from=0
key=
: >"$work/epochs"
while read -r at kind blob; do
    begin=$at
    [ "$kind" = created ] || begin=$((at + 1))
    [ "$from" -eq 0 ] || echo "$from $((begin - 1)) $key" >>"$work/epochs"
    if [ "$kind" = created ] && [ "$at" -ne 1 ]; then
        grep -qF "$blob" "$work/trusted" || bad "record $((at - 1)): no earlier key vouches for its key, nor does TRUSTED_SIGNERS"
    fi
    from=$begin
    key=$blob
done <"$work/keys"
[ "$(head -n 1 "$work/keys" | cut -d ' ' -f 1,2)" = "1 created" ] || bad "record 0: it brings no key"
[ "$from" -gt "$count" ] || echo "$from $count $key" >>"$work/epochs"
first=$(head -n 1 "$work/keys" | cut -d ' ' -f 3)
if [ -s "$work/trusted" ] && ! grep -qF "$first" "$work/trusted"; then bad "record 0: its key is not in TRUSTED_SIGNERS"; fi

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
print_of() { echo "ssh-ed25519 $1" >"$work/key.pub"; ssh-keygen -lf "$work/key.pub" | cut -d ' ' -f 2; }
while read -r begin end blob; do
    at=$end
    [ "$every" = no ] || at=$begin
    while [ "$at" -le "$end" ] && [ "$begin" -le "$end" ]; do
        record_signed "$at" "$blob"
        at=$((at + 1))
    done
    print=$(print_of "$blob")
    grep -F '"kind":"key_revoked"' "$work/records" | grep -F "\"fingerprint\":\"$print\"" |
        sed 's/.*"since":\([0-9]*\)}.*/\1/' >"$work/since" || true
    while read -r since; do
        digits "$since" || bad "a record revokes $print since something that is no record"
        [ "$since" -ge "$end" ] || bad "records $since to $((end - 1)): signed by $print, which was revoked from record $since on"
    done <"$work/since"
done <"$work/epochs"

# 5. The documents of the period: each is the one that its record names, or has a tombstone, which no hold forbade.
read -r begin end <period.txt || bad "period.txt names no period"
case $begin$end in *[!0-9TZ:.-]*) bad "period.txt names no period" ;; esac
sed 's/.*"ended_at":"\([^"]*\)","fence":.*/\1/' "$work/records" |
    awk -v from="$begin" -v to="$end" '$0 >= from && $0 < to {print NR}' >"$work/period"
documents=0
erased=0
while read -r at; do
    line "$work/records" "$at" | tr ',{}' '\n\n\n' >"$work/fields"
    awk -F '"' '/^"commitment":"[0-9a-f]+"$/ {c = $4}
        /^"sha256":"[0-9a-f]+"$/ && c != "" {print c, $4; c = ""}' "$work/fields" >"$work/commitments"
    [ "$(grep -c '^"commitment":' "$work/fields" || true)" = "$(wc -l <"$work/commitments" | tr -d ' ')" ] ||
        bad "record $((at - 1)): it names a document without a commitment"
    while read -r wanted sha256; do
        grep "^$wanted " payloads.txt >"$work/row" || bad "record $((at - 1)): a document is not in this bundle"
        read -r wanted state stored salt document <"$work/row"
        [ "$stored" = "$sha256" ] || bad "record $((at - 1)): payloads.txt names another document"
        if [ "$state" = erased ]; then
            grep -F '"kind":"payload_tombstone"' "$work/records" | grep -qF "\"sha256\":\"$sha256\"" ||
                bad "record $((at - 1)): a document is gone and no tombstone says why"
            erased=$((erased + 1))
        else
            listed "$salt" payloads.txt
            listed "$document" payloads.txt
            got=$(cat "$salt" "$document" | sha256sum | cut -d ' ' -f 1)
            [ "$got" = "$wanted" ] || bad "record $((at - 1)): $document is not the document of the record"
            documents=$((documents + 1))
        fi
    done <"$work/commitments"
done <"$work/period"
awk '
    function value(name) {
        if (!match($0, "\"" name "\":\"[^\"]*\"")) return ""
        return substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 5)
    }
    /"kind":"hold"/ {hold[NR - 1] = value("run"); next}
    /"kind":"hold_released"/ {if (match($0, /"hold":[0-9]+/)) delete hold[substr($0, RSTART + 7, RLENGTH - 7)]; next}
    /"kind":"payload_tombstone"/ {
        gone = value("sha256")
        told = "record " (NR - 1) ": it erases"
        if (!(gone in run)) print told " what no record before it has"
        else for (h in hold)
            if (hold[h] == "" || hold[h] == run[gone]) print told " a document that the hold of record " h " kept"
        next
    }
    {
        rest = $0
        while (match(rest, /"sha256":"[0-9a-f]+"/)) {
            found = substr(rest, RSTART + 10, RLENGTH - 11)
            rest = substr(rest, RSTART + RLENGTH)
            if (!(found in run)) run[found] = value("run")
        }
    }' "$work/records" >"$work/forbidden"
[ ! -s "$work/forbidden" ] || bad "$(head -n 1 "$work/forbidden")"

# 6. Reviews: the reviewer's own signature, the same as in the chain, about a record of the chain, and none left out.
reviewed() { # SIGNERS REVIEWER RECORD TIME
    TZ=UTC ssh-keygen -Y verify -O "verify-time=$4" -f "$1" -I "$2" -n steward-review@v1 \
        -s "reviews/$3.sig" <"reviews/$3.json" 2>/dev/null
}
reviews=0
: >"$work/reviews"
grep -nF '"kind":"review"' "$work/records" | awk -F : '{print $1 - 1}' >"$work/wanted" || true
awk 1 reviews/index.txt >"$work/index"
cut -d ' ' -f 1 "$work/index" >"$work/numbers"
cmp -s "$work/wanted" "$work/numbers" || bad "reviews/index.txt names other reviews than the chain has"
while read -r at reviewer; do
    digits "$at" || bad "reviews/index.txt names no record"
    case $reviewer in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._@+-]*) bad "record $at: a reviewer without a plain name" ;; esac
    listed "reviews/$at.json" reviews/index.txt
    listed "reviews/$at.sig" reviews/index.txt
    line "$work/records" $((at + 1)) >"$work/one"
    grep -qF "$(sed '1d;$d' "reviews/$at.sig" | tr -d '\n')" "$work/one" || bad "record $at: the review in this bundle is not the one of the chain"
    when=$(sed 's/.*"ended_at":"\([^"]*\)","fence":.*/\1/' "$work/one" | tr -cd 0-9 | cut -c 1-14)
    said=$(reviewed reviews/allowed_signers "$reviewer" "$at" "$when") ||
        bad "record $at: the review is not signed by $reviewer"
    about=$(sed -n 's/.*"record":\([0-9]*\),"record_sha256":"\([0-9a-f]*\)","reviewer":"\([^"]*\)".*/\1 \2 \3/p' "reviews/$at.json")
    number=${about%% *}
    digits "$number" || bad "record $at: the review is about no record"
    [ "$about" = "$number $(line "$work/hashes" $((number + 1))) $reviewer" ] ||
        bad "record $at: the review is about no record of this chain, or by another name"
    print=$(printf '%s\n' "$said" | sed -n 's/.* key \(SHA256:[A-Za-z0-9+/]*\)$/\1/p')
    word=$(sed -n 's/.*"decision":"\([a-z]*\)".*/\1/p' "reviews/$at.json")
    held="held against nothing"
    if [ -s "$work/reviewers" ]; then
        held="among your trusted reviewers"
        reviewed "$work/reviewers" "$reviewer" "$at" "$when" >/dev/null ||
            bad "record $at: $reviewer with $print is not among your trusted reviewers"
    fi
    echo "review: record $number $word by $reviewer with key $print, $held" >>"$work/reviews"
    reviews=$((reviews + 1))
done <"$work/index"

# 7. What the exporter says that others kept of the chain.
: >"$work/claims"
awk 1 anchors.txt >"$work/anchors"
while read -r number hash anchor; do
    digits "$number" || bad "anchors.txt names no record"
    [ "$(line "$work/hashes" $((number + 1)))" = "$hash" ] || bad "record $number: $anchor knows another one"
    printf '%s\n' "the exporter says that $anchor keeps record $number: ask it yourself, nothing in this bundle proves it" >>"$work/claims"
done <"$work/anchors"

# 8. The list of files is by the holder of the last key. Of the tables, runs and sample are held against the records.
signed "$key" steward-export@v1 SHA256SUMS.sig SHA256SUMS || bad "SHA256SUMS is not signed by the last key of the chain"
awk '
    function value(name) {
        if (!match($0, "\"" name "\":\"[^\"]*\"")) return ""
        return substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 5)
    }
    FILENAME == ARGV[1] {period[$1]; next}
    FILENAME == ARGV[2] {hash[FNR] = $0; next}
    (FNR in period) && /"kind":"run(_killed)?"/ {print FNR - 1, hash[FNR], value("run"), value("verb")}
' "$work/period" "$work/hashes" "$work/records" >"$work/runs"
sed 's/^\([0-9]*\) [0-9a-f]* /\1 /' "$work/runs" >"$work/wanted"
awk -F '"' '/^  "record": [0-9]+,$/ {at = $3; gsub(/[^0-9]/, "", at)}
    /^  "run": "/ {run = $4}
    /^  "verb": "/ {print at, run, $4}' tables/evaluations.json >"$work/told"
cmp -s "$work/wanted" "$work/told" || bad "tables/evaluations.json has other runs than the records of the period"
sed -n 's/^\([0-9]*\),[0-9TZ:.-]*,\([^,]*\),\([^,]*\),.*/\1 \2 \3/p' tables/evaluations.csv >"$work/told"
cmp -s "$work/wanted" "$work/told" || bad "tables/evaluations.csv has other runs than the records of the period"
read -r seed size <sample.txt || bad "sample.txt names no seed"
case $seed in '' | *[!A-Za-z0-9._-]*) bad "sample.txt names no seed" ;; esac
digits "$size" || bad "sample.txt names no size"
drawn() { # SEED: the runs of the sample by it, in its order
    while read -r number hash rest; do
        echo "$(printf '%s:%s' "$1" "$hash" | sha256sum | cut -d ' ' -f 1) $number $hash $rest"
    done <"$work/runs" | sort | awk -v size="$size" 'NR <= size'
}
drawn "$seed" | cut -d ' ' -f 3 >"$work/wanted"
sed -n 's/^  "record_sha256": "\([0-9a-f]*\)",*$/\1/p' tables/sample.json >"$work/told"
cmp -s "$work/wanted" "$work/told" || bad "tables/sample.json is not the sample that its seed draws"

if [ "$reviews" -eq 0 ] || [ -s "$work/reviewers" ]; then judged="$reviews reviews"; else judged="but $reviews reviews HELD AGAINST NOTHING"; fi
say "GOOD: $count records, $documents documents and $erased tombstones of the period, $judged"
say "head: record $((count - 1)) $(tail -n 1 "$work/hashes")"
say "first key: $(print_of "$first")"
[ -s "$work/trusted" ] || say "the first key was not held against anything: ask for its fingerprint in another way"
while read -r told; do say "$told"; done <"$work/reviews"
if [ "$reviews" -gt 0 ] && [ ! -s "$work/reviewers" ]; then
    say "whoever holds the chain's key can invent reviewers: ask each for the fingerprint, or name them in TRUSTED_SIGNERS"
fi
say "internally consistent only, as far as a bundle can show: whether records are missing at the end, an anchor knows"
while read -r told; do say "$told"; done <"$work/claims"
sed -n 's/^{"actor":"\([^"]*\)".*"kind":"payload_tombstone".*/\1/p' "$work/records" |
    awk '{n[$0]++; all++} END {for (who in n) print "erased: " n[who] " of " all " documents of the whole chain, by " who}' | sort >"$work/erasers"
while read -r told; do say "$told"; done <"$work/erasers"
awk '{$1 = $2 = $3 = ""; sub(/^ +/, ""); n[$0 == "" ? "killed" : $0]++}
    END {for (verb in n) print "runs of the period: " n[verb] " " verb}' "$work/runs" | sort >"$work/verbs"
while read -r told; do say "$told"; done <"$work/verbs"
say "tables: made by the control machine, and only as good as its last signature; held against the records here" \
    "were the runs in tables/evaluations and the sample, and nothing else"
if [ -z "$mine" ]; then
    say "sample: seed $seed chosen by the exporter; draw your own: --seed TEXT"
else
    drawn "$mine" >"$work/mine"
    while read -r _ number _ rest; do say "sample by your seed: record $number, run $rest"; done <"$work/mine"
fi
[ -n "$where" ] || say "this copy of verify.sh came with the bundle, whose maker could have changed it:" \
    "take it from elsewhere, or compare its SHA-256"
