"""A Jira site, Cloud or Data Center: sign-in, faults, dialects, and issues with complete histories."""
