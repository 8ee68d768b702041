"""Is a host exactly as its last converge with these inputs left it? Then the playbooks have nothing to do on it."""
