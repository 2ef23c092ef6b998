-- Ends a session: its fields go, a tombstone stays.
--
-- KEYS[1]  the session
-- ARGV[1]  how long the tombstone stays, in milliseconds
--
-- Returns 1 for a session that is ended now, 0 for a missing one, and of a tombstone the id that the session moved to, or nothing. What is
-- neither answers WRONGTYPE.
--
-- A tombstone is `<end>:<successor>`: when it ends, in milliseconds since 1970, and the id that the session moved to, or nothing. In older
-- ones the end is missing, with its colon.
--
-- Everything that could be refused is looked at before the first write. That is an UNLINK: it works when memory is full, after it the
-- server no longer asks for memory, and it takes a large hash apart in the background.

local key, lifetime = KEYS[1], ARGV[1]

local permanent = redis.pcall('HEXISTS', key, '')
if type(permanent) == 'table' then
  if not string.find(permanent.err, '^WRONGTYPE') then
    return permanent
  end
  local tombstone = redis.pcall('GET', key) or permanent
  return type(tombstone) == 'string' and string.match(tombstone, '^%d+:(.*)$') or tombstone
end
if permanent == 0 and redis.call('EXISTS', key) == 0 then
  -- Changes nothing, but a replica refuses it: the session may be one that has not arrived there.
  return redis.pcall('UNLINK', key)
end

if not string.find(lifetime, '^[1-9]%d*$') then
  return redis.error_reply('ERR not a lifetime')
end
local time = redis.call('TIME')
local ends_at = time[1] * 1000 + math.floor(time[2] / 1000) + lifetime
local tombstone = string.format('%.0f:', ends_at)
-- Redis 6 cannot tell.
if redis.acl_check_cmd and not redis.acl_check_cmd('SET', key, tombstone, 'PX', lifetime) then
  return redis.error_reply('NOPERM the tombstone may not be written')
end

redis.call('UNLINK', key)
redis.call('SET', key, tombstone, 'PX', lifetime)
return 1
