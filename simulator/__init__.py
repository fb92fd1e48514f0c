"""An HVAC fleet that wears out: raw sensor days, cycle histories, a registry and a fault log.

Everything is drawn from (seed, unit, day), so any unit-day can be made alone and is the same
whatever was asked before. Start with :class:`simulator.fleet.Fleet`.
"""
