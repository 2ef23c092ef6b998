-- Moves a whole session to another key, or changes nothing.
--
-- KEYS[1]  The session.
-- KEYS[2]  The new key of the session, in the same slot.
-- ARGV[1]  The id of the new key, for the tombstone.
-- ARGV[2]  The lifetime of the session, in milliseconds.
-- ARGV[3]  The lifetime of the tombstone, in milliseconds.
-- ARGV[4]  The word for the kind of tombstone.
--
-- Returns 1 if the session was moved, now or earlier to the same id, and still exists. Returns 0
-- for a missing session. Any other tombstone returns WRONGTYPE. If the new key is taken, a session
-- returns BUSYKEY.
--
-- Everything that could be refused is checked before the first write. Servers of other makes that
-- cannot check the user's permissions are refused.
--
-- The first write is a RENAME, which works even if the memory is full. After that, the server no
-- longer checks the memory. RENAME also moves fields that are not in the schema, at the same cost
-- for any size.

local key, successor_key = KEYS[1], KEYS[2]
local successor, lifetime, tombstone_lifetime, kind = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local may = redis.acl_check_cmd
if not may then
  return redis.error_reply('NOACLCHECK Redis 7 or later, or Valkey, is needed')
end

local permanent = redis.pcall('HEXISTS', key, '')
if type(permanent) == 'table' then
  if not string.find(permanent.err, '^WRONGTYPE') then
    return permanent
  end
  local tombstone = redis.pcall('GET', key)
  -- The format is described in destroy.lua.
  local is_text = type(tombstone) == 'string'
  local moved_to = is_text
    and (string.match(tombstone, '^%l+:%d+:%d+:(.*)$') or string.match(tombstone, '^%d+:(.*)$') or tombstone)
  if moved_to == successor then
    local moved = redis.pcall('HEXISTS', successor_key, '')
    if type(moved) == 'table' then
      return moved
    elseif moved == 1 or redis.call('EXISTS', successor_key) == 1 then
      return 1
    end
  end
  return permanent
end
if permanent == 0 and redis.call('EXISTS', key) == 0 then
  -- This changes nothing, but a replica refuses the command. The session may not have been
  -- replicated yet.
  return redis.pcall('PEXPIRE', key, lifetime)
end
if redis.call('EXISTS', successor_key) == 1 then
  return redis.error_reply('BUSYKEY the new key is taken')
end

if not (string.find(lifetime, '^[1-9]%d*$') and string.find(tombstone_lifetime, '^[1-9]%d*$')) then
  return redis.error_reply('ERR not a lifetime')
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local tombstone = string.format('%s:%.0f:%.0f:%s', kind, now, now + tombstone_lifetime, successor)
if not (may('SET', key, tombstone, 'PX', tombstone_lifetime) and may('PEXPIRE', successor_key, lifetime)) then
  return redis.error_reply('NOPERM the tombstone or an expiry may not be written')
end

redis.call('RENAME', key, successor_key)
redis.call('SET', key, tombstone, 'PX', tombstone_lifetime)
redis.call('PEXPIRE', successor_key, lifetime)
return 1
