-- Moves a session to another key, and changes fields in the same step. All of this happens, or
-- nothing.
--
-- KEYS[1]  the session
-- KEYS[2]  the new key of the session, in the same slot
-- ARGV[1]  the id of the new key, for the tombstone
-- ARGV[2]  the lifetime of the session, in milliseconds
-- ARGV[3]  the lifetime of the tombstone, in milliseconds
-- ARGV[4]  the kind of the tombstone, as a word
-- ARGV[5]  the number of removed fields
-- ARGV[6]  the number of set fields with an expiry of their own
-- ARGV[7]  the number of kept fields, or -1 to keep all
--
-- ARGV[5] and the rest are missing if no field changes. Otherwise the names of the removed fields
-- follow, then the fields with an expiry, each with the milliseconds, then the names of the kept
-- fields, then the set fields, each with the value. Set fields are kept too.
--
-- Returns 1 if the session was moved now, or if an earlier run moved the session to this id and the
-- session still exists there. An earlier run is not repeated. Returns 0 for a missing session.
-- Another tombstone replies with WRONGTYPE, and an existing new key with BUSYKEY, or with
-- ENDEDSINCE for a tombstone.
--
-- A session with entries in indexes returns the label and stays. The script then runs between
-- index_before.lua and index_after.lua, where `keeps_indexes` is true.
--
-- All checks come before the first write. A different server that cannot check permissions is
-- refused. The first write is an HSET if a field is set, because a server with full memory refuses
-- this command and nothing has changed. Without a set field, the script works with full memory.
-- RENAME keeps fields that no schema knows, with their expiry, and costs the same for any size.

local SLICE = 2000 -- arguments of a command: unpack has room for some 8,000

local key, successor_key = KEYS[1], KEYS[2]
local successor, lifetime, tombstone_lifetime, kind = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local may = redis.acl_check_cmd
if not may then
  return redis.error_reply('NOACLCHECK Redis 7 or later, or Valkey, is needed')
end

local held = redis.pcall('HMGET', key, '', '\0')
if held.err then
  if not string.find(held.err, '^WRONGTYPE') then
    return held
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
  return held
end
if held[2] and not keeps_indexes then
  return held[2]
end
if not held[1] and redis.call('EXISTS', key) == 0 then
  -- This changes nothing, but a replica refuses the command. The session may not have been
  -- replicated yet.
  return redis.pcall('PEXPIRE', key, lifetime)
end
if redis.call('EXISTS', successor_key) == 1 then
  if type(redis.pcall('GET', successor_key)) == 'string' then
    -- In a cluster, an end through an index may come between the two steps of a rotation.
    return redis.error_reply('ENDEDSINCE the new id was ended')
  end
  return redis.error_reply('BUSYKEY the new key is taken')
end

local time = redis.call('TIME')
-- The digits of both numbers are joined, because formatting a number costs as much as a command.
local now = time[1] .. string.sub('00000' .. time[2], -6, -4)
local tombstone = string.format('%s:%s:%.0f:%s', kind, now, now + tombstone_lifetime, successor)
if not (may('SET', key, tombstone, 'PX', tombstone_lifetime) and may('PEXPIRE', successor_key, lifetime)) then
  return redis.error_reply('NOPERM the tombstone or an expiry may not be written')
end

-- The fields to set start behind `kept_until`.
local removed_until, expiring_until, kept_until = 7, 7, #ARGV
local removed = {}
if #ARGV > 4 then
  removed_until = 7 + tonumber(ARGV[5])
  expiring_until = removed_until + 2 * tonumber(ARGV[6])
  kept_until = expiring_until + math.max(tonumber(ARGV[7]), 0)
  if expiring_until > removed_until then
    -- An error, not a no, if the server has no such command.
    local is_known, is_permitted = pcall(may, 'HPEXPIRE', key, '1', 'FIELDS', '1', '')
    if not is_known then
      return redis.error_reply('NOFIELDEXPIRY Redis 7.4 or later, or Valkey 9 or later, is needed')
    elseif not is_permitted then
      return redis.error_reply('NOPERM fields that expire need HPEXPIRE')
    end
  end
  for at = 8, removed_until do
    removed[#removed + 1] = ARGV[at]
  end
  if ARGV[7] ~= '-1' then
    local stays = {[''] = true, ['\0'] = true}
    for at = expiring_until + 1, kept_until do
      stays[ARGV[at]] = true
    end
    for at = kept_until + 1, #ARGV, 2 do
      stays[ARGV[at]] = true
    end
    local fields = redis.pcall('HKEYS', key)
    if fields.err then
      return fields
    end
    for _, field in ipairs(fields) do
      if not stays[field] then
        removed[#removed + 1] = field
      end
    end
  end
  -- The first write needs no check, because the server refuses it before anything has changed.
  local sets = kept_until < #ARGV
  if not ((#removed == 0 or may('HDEL', key, '') and (sets or may('HSET', key, '', ''))) and may('RENAME', key, successor_key)) then
    return redis.error_reply('NOPERM a new id needs RENAME, HDEL and HSET')
  end
end

-- A session of another program may lack the permanent field.
local lacks_permanent = not held[1] and #ARGV > 4
for from = kept_until + 1, #ARGV, SLICE do
  local to = math.min(from + SLICE - 1, #ARGV)
  if lacks_permanent then
    redis.call('HSET', key, '', '', unpack(ARGV, from, to))
    lacks_permanent = false
  else
    redis.call('HSET', key, unpack(ARGV, from, to))
  end
end
for at = removed_until + 1, expiring_until, 2 do
  redis.call('HPEXPIRE', key, ARGV[at + 1], 'FIELDS', '1', ARGV[at])
end
for from = 1, #removed, SLICE do
  redis.call('HDEL', key, unpack(removed, from, math.min(from + SLICE - 1, #removed)))
end
if lacks_permanent and #removed > 0 then
  redis.call('HSET', key, '', '')
end
redis.call('RENAME', key, successor_key)
redis.call('SET', key, tombstone, 'PX', tombstone_lifetime)
redis.call('PEXPIRE', successor_key, lifetime)
return 1
