"""What `pulumi up` runs; a user's own repository has the same file, and may register more below."""

from stacks.program import main

main()
