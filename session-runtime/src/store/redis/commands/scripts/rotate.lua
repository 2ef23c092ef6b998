-- Moves a session to another key: all of it, or nothing.
--
-- KEYS[1]  the session
-- KEYS[2]  the key that it moves to, in the same slot
-- ARGV[1]  the id of that key, for the tombstone
-- ARGV[2]  how long from now the session is kept, in milliseconds
-- ARGV[3]  how long the tombstone stays, in milliseconds
-- ARGV[4]  the word of the tombstone's kind
--
-- Returns 1 if the session is moved now, or was moved to this id before and is still there, and 0
-- for a missing one. Another tombstone answers WRONGTYPE, a session whose new key is taken BUSYKEY.
--
-- Everything that could be refused is looked at before the first write. A server that cannot be
-- asked what the user may do, of another make, is refused. The first write is a RENAME: it works
-- when memory is full, after it the server no longer asks for memory, and it moves what no schema
-- knows, at the same cost for any size.

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
  -- See destroy.lua for what it holds.
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
  -- Changes nothing, but a replica refuses it: the session may be one that has not arrived there.
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
