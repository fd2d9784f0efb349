"""What holds for every test: a rule is right or wrong however busy the machine is."""

from hypothesis import HealthCheck, settings

settings.register_profile("lead_quality", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lead_quality")
