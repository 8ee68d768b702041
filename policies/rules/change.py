"""What a change would take away: steps that delete or replace what bears data, access or proof."""
