-- Ends a session: its fields go, a tombstone stays.
--
-- KEYS[1]  the session
-- ARGV[1]  how long the tombstone stays, in milliseconds
-- ARGV[2]  the word of the tombstone's kind
--
-- Returns 1 for a session that is ended now, 0 for a missing one, and the text of a tombstone. Any
-- other type of key answers WRONGTYPE.
--
-- A tombstone is `KIND:MADE:UNTIL:SUCCESSOR`. The times are in milliseconds since 1970 by this
-- server's clock. The successor is the id under which the session goes on, or nothing. Former
-- releases wrote `UNTIL:SUCCESSOR`, and before that the successor alone. tombstone.rs has the
-- words.
--
-- Everything that could be refused is looked at before the first write. A server that cannot be
-- asked what the user may do, of another make, is refused. The first write is an UNLINK: it works
-- when memory is full, after it the server no longer asks for memory, and it takes a large hash
-- apart in the background.

local key, lifetime = KEYS[1], ARGV[1]
local may = redis.acl_check_cmd
if not may then
  return redis.error_reply('NOACLCHECK Redis 7 or later, or Valkey, is needed')
end

local permanent = redis.pcall('HEXISTS', key, '')
if type(permanent) == 'table' then
  if not string.find(permanent.err, '^WRONGTYPE') then
    return permanent
  end
  return redis.pcall('GET', key) or permanent
end
if permanent == 0 and redis.call('EXISTS', key) == 0 then
  -- Changes nothing, but a replica refuses it: the session may be one that has not arrived there.
  return redis.pcall('UNLINK', key)
end

if not string.find(lifetime, '^[1-9]%d*$') then
  return redis.error_reply('ERR not a lifetime')
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local tombstone = string.format('%s:%.0f:%.0f:', ARGV[2], now, now + lifetime)
if not may('SET', key, tombstone, 'PX', lifetime) then
  return redis.error_reply('NOPERM the tombstone may not be written')
end

redis.call('UNLINK', key)
redis.call('SET', key, tombstone, 'PX', lifetime)
return 1
