-- Ends a session: removes the fields and leaves a tombstone.
--
-- KEYS[1]  The session.
-- ARGV[1]  The lifetime of the tombstone, in milliseconds.
-- ARGV[2]  The word for the kind of tombstone.
--
-- Returns 1 for a session that has ended now, 0 for a missing session, and the text of an existing
-- tombstone. Any other type of key returns WRONGTYPE.
--
-- A tombstone is `KIND:MADE:UNTIL:SUCCESSOR`. The times are in milliseconds since 1970 by this
-- server's clock. The successor is the id under which the session continues, or empty. Former
-- releases wrote `UNTIL:SUCCESSOR`, and before that only the successor. The words are listed in
-- tombstone.rs.
--
-- Everything that could be refused is checked before the first write. Servers of other makes that
-- cannot check the user's permissions are refused.
--
-- The first write is an UNLINK, which works even if the memory is full. After that, the server no
-- longer checks the memory. UNLINK also frees a large hash in the background.

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
  -- This changes nothing, but a replica refuses the command. The session may not have been
  -- replicated yet.
  return redis.pcall('UNLINK', key)
end

local time = redis.call('TIME')
-- The digits of both numbers are joined, because formatting a number costs as much as a command.
local now = time[1] .. string.sub('00000' .. time[2], -6, -4)
local tombstone = string.format('%s:%s:%.0f:', ARGV[2], now, now + lifetime)
if not may('SET', key, tombstone, 'PX', lifetime) then
  return redis.error_reply('NOPERM the tombstone may not be written')
end

redis.call('UNLINK', key)
redis.call('SET', key, tombstone, 'PX', lifetime)
return 1
