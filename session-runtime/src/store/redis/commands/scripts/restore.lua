-- Lets a tombstone end when it was to end: a read that refreshes gives it a session's expiry.
--
-- KEYS[1]  the tombstone
--
-- Returns 1, or 0 for what does not tell when it ends: that is left alone. See destroy.lua for what
-- a tombstone holds.

local key = KEYS[1]

local tombstone = redis.pcall('GET', key)
local ends_at = type(tombstone) == 'string'
  and (string.match(tombstone, '^%l+:%d+:(%d+):') or string.match(tombstone, '^(%d+):'))
return ends_at and redis.pcall('PEXPIREAT', key, ends_at) or 0
