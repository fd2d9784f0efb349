"""What a company's leads are worth, looked at from its exports: no Frappe, no site, nothing leaves the machine."""
