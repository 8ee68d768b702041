"""The program that carries objects between this machine and a vault, by a host which the vault lets in.

It is sent over SSH and runs there; the vault sees HTTPS of its own append-only endpoint and nothing else.
"""

from __future__ import annotations

from typing import Final

PROGRAM: Final = r"""
import base64, http.client, json, re, ssl, sys

asked = json.load(sys.stdin)
trust = ssl.create_default_context(cadata=asked["certificate"])
line = http.client.HTTPSConnection(asked["address"], asked["port"], timeout=10, context=trust)
login = base64.b64encode(f"{asked['user']}:{asked['password']}".encode()).decode()
HEADERS = {"Authorization": "Basic " + login, "Accept": "application/vnd.x.restic.rest.v2"}

def ask(method, path, body=None):
    line.request(method, f"/{asked['user']}/{path}", body=body, headers=HEADERS)
    answer = line.getresponse()
    return answer.status, answer.read(), answer.getheader("Content-Length")

def put(path, content):
    status, said, _ = ask("POST", path, content)
    if status == 200:
        return
    # What is there already cannot be written again; by its name it can only be the same.
    found, _, size = ask("HEAD", path)
    if found != 200 or int(size or -1) != len(content):
        sys.exit(f"the vault refused {path[:24]}: HTTP {status} {said[:200].decode(errors='replace')}")

for path, content in asked["puts"]:
    put(path, base64.b64decode(content))
found = []
if asked["lists"]:
    status, said, _ = ask("GET", asked["lists"] + "/")
    if status != 200:
        sys.exit(f"the vault does not list {asked['lists']}: HTTP {status}")
    for row in json.loads(said):
        name = str(row["name"])
        if re.fullmatch("[0-9a-f]{64}", name) and int(row["size"]) <= asked["largest"]:
            status, said, _ = ask("GET", asked["lists"] + "/" + name)
            if status != 200:
                sys.exit(f"the vault does not give out {name[:16]}: HTTP {status}")
            found.append([name, base64.b64encode(said).decode()])
print(json.dumps({"found": found}))
"""
