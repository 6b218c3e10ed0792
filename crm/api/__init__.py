"""HTTP: one blueprint a resource. Views parse, call a use case or a query, and answer."""
