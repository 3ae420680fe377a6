"""Dashboards of the views: one description of their charts, and what is made of it for each BI tool."""
