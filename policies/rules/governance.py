"""Whether the exceptions and the policy itself are in order: waivers, baseline, policy reference."""
