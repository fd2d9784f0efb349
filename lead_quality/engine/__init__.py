"""Pure decisions of the app: no frappe import, the present instant is always an argument."""
