"""The site: settings, users, this site's agents, and what runs it on one machine."""
