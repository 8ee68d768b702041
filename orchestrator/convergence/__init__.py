"""Is a host exactly as its last converge with these inputs left it? Then playbooks have nothing to do."""
