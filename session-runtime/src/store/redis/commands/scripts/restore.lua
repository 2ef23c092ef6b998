-- Restores the expiry of a tombstone, after a read with a refresh has set a session's expiry.
--
-- KEYS[1]  The tombstone.
--
-- Returns 1, or 0 for a text without an expiry, which stays unchanged. The format of tombstones is
-- described in destroy.lua.

local key = KEYS[1]

local tombstone = redis.pcall('GET', key)
local ends_at = type(tombstone) == 'string'
  and (string.match(tombstone, '^%l+:%d+:(%d+):') or string.match(tombstone, '^(%d+):'))
return ends_at and redis.pcall('PEXPIREAT', key, ends_at) or 0
