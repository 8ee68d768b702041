"""Would sshd, with this new file read first, hold its values and still let the admin in? Exit 1 says why not.

Run as: judge NEW-FILE ADMIN GATEWAY. Nothing is in place yet, so this puts together what sshd would read.
"""

import fnmatch
import glob
import grp
import os
import pwd
import subprocess
import sys
import tempfile

CONFIG = "/etc/ssh/sshd_config"
OWN = "/etc/ssh/sshd_config.d/10-steward.conf"


def together(new, own=OWN, config=CONFIG):
    """The text of a configuration with the new file first and without the old one."""
    with open(new) as source:
        lines = [source.read()]
    with open(config) as source:
        for line in source:
            words = line.split()
            if words[:1] and words[0].lower() == "include":
                for pattern in words[1:]:
                    found = sorted(glob.glob(os.path.join("/etc/ssh", pattern)))
                    lines += [f"Include {path}\n" for path in found if path != own]
            else:
                lines.append(line if line.endswith("\n") else line + "\n")
    return "".join(lines)


def values(text):
    """Keyword to its values, as sshd -T prints them or a file holds them; lists are put together."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            found.setdefault(words[0].lower(), []).extend(word.lower() for word in words[1:])
    return found


def shut_out(seen, user, groups, home):
    """Why the admin could not log in, '' when nothing stands against it."""
    for pattern in seen.get("denyusers", []):
        if fnmatch.fnmatchcase(user, pattern.partition("@")[0]):
            return f"denyusers {pattern} shuts out {user}"
    for pattern in seen.get("denygroups", []):
        if any(fnmatch.fnmatchcase(group, pattern) for group in groups):
            return f"denygroups {pattern} shuts out {user}"
    allowed = seen.get("allowgroups", [])
    if allowed and not any(fnmatch.fnmatchcase(group, pattern) for group in groups for pattern in allowed):
        return f"allowgroups {' '.join(allowed)} leaves {user} out"
    if "22" not in seen.get("port", ["22"]):
        return f"port {' '.join(seen['port'])}: the host firewall lets the control machine in on 22 only"
    places = [path.replace("%u", user).replace("%h", home) for path in seen.get("authorizedkeysfile", [])]
    keys = [os.path.join(home, place) for place in places]
    if not any(os.path.isfile(path) and os.path.getsize(path) for path in keys):
        return f"authorizedkeysfile {' '.join(places)}: there is no key of {user}"
    return ""


def blame(keyword):
    """Where else a keyword is set, as ' (also set in FILE:LINE)'."""
    for path in [*sorted(glob.glob("/etc/ssh/sshd_config.d/*.conf")), CONFIG]:
        if path == OWN:
            continue
        with open(path, errors="replace") as source:
            for number, line in enumerate(source, 1):
                if line.split()[:1] and line.split()[0].lower() == keyword:
                    return f" (also set in {path}:{number})"
    return ""


def judge(new, user, gateway):
    """Every reason against the new file."""
    account = pwd.getpwnam(user)
    groups = [grp.getgrgid(gid).gr_name for gid in os.getgrouplist(user, account.pw_gid)]
    with open(new) as source:
        wanted = values(source.read())
    reasons = []
    with tempfile.NamedTemporaryFile("w", prefix=".steward-sshd-", dir="/etc/ssh") as whole:
        whole.write(together(new))
        whole.flush()
        for who in (user, "root"):
            place = f"user={who},host=control,addr={gateway.partition('/')[0]}"
            argv = ["/usr/sbin/sshd", "-T", "-f", whole.name, "-C", place]
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                return [done.stderr.strip().replace(whole.name, CONFIG)]
            seen = values(done.stdout)
            reasons += list(against(wanted, seen, who))
            why = shut_out(seen, user, groups, account.pw_dir) if who == user else ""
            reasons += [why + blame(why.split()[0])] if why else []
    return reasons


def against(wanted, seen, who):
    """Values that would not hold for this account."""
    for keyword, value in wanted.items():
        if sorted(seen.get(keyword, [])) != sorted(value):
            told = " ".join(seen.get(keyword, ["nothing"]))
            yield f"{keyword} would be {told} for {who}, not {' '.join(value)}{blame(keyword)}"


if __name__ == "__main__":
    found = judge(*sys.argv[1:4])
    if found:
        told = "; ".join(dict.fromkeys(found))
        sys.exit(f"{told}. Mend that on the host and converge again; nothing was replaced.")
