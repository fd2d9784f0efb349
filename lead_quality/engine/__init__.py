"""Pure rules: no frappe import, the present instant is always an argument."""
