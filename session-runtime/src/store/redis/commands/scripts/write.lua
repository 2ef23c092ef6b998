-- Carries out one write of a session: all of it, or nothing.
--
-- KEYS[1]  the session
-- ARGV[1]  how long from now the session is kept, in milliseconds
-- ARGV[2]  1: a missing session is begun, 0: it has to be there
-- ARGV[3]  how many fields are removed
-- ARGV[4]  how many of the fields that are set get an expiry of their own
--
-- The names of the removed fields follow, then the fields that get an expiry, each with it in
-- milliseconds, then the fields to set, each with its value. A field that is set without an expiry
-- has none afterwards: that is what HSET does.
--
-- Returns how many of the removed fields were there, or -1 for a missing session. A tombstone
-- answers WRONGTYPE.
--
-- The first write is an HSET, or a deletion where nothing is set: what the server refuses (memory,
-- replicas, disk), it refuses there, before anything was changed, and what only removes works when
-- memory is full. After it nothing can fail: whether the user may do the rest is asked before, else
-- a key could stay that never expires. A server that cannot be asked, of another make, is refused.

local SLICE = 2000 -- arguments of one command: unpack has room for some 8,000

local key, lifetime = KEYS[1], ARGV[1]
local removed_until = 4 + tonumber(ARGV[3])
local expiring_until = removed_until + 2 * tonumber(ARGV[4])
local may = redis.acl_check_cmd
if not may then
  return redis.error_reply('NOACLCHECK Redis 7 or later, or Valkey, is needed')
end

local permanent = redis.pcall('HEXISTS', key, '')
if type(permanent) == 'table' then
  return permanent
end
-- A session that another program began may lack the permanent field.
local lacks_permanent = permanent == 0

if lacks_permanent and ARGV[2] == '0' and redis.call('EXISTS', key) == 0 then
  return -1
end
if not (may('PEXPIRE', key, lifetime) and (removed_until == 4 or may('HDEL', key, ''))) then
  return redis.error_reply('NOPERM a session needs PEXPIRE and HDEL')
end
if expiring_until > removed_until then
  -- An error, not a no, where the server has no such command.
  local is_known, is_permitted = pcall(may, 'HPEXPIRE', key, '1', 'FIELDS', '1', '')
  if not is_known then
    return redis.error_reply('NOFIELDEXPIRY Redis 7.4 or later, or Valkey 9 or later, is needed')
  elseif not is_permitted then
    return redis.error_reply('NOPERM fields that expire need HPEXPIRE')
  end
end

-- Looked at, not told by HDEL: that counts a field which has expired, too, until the server has
-- cleared it away.
local removed = 0
for from = 5, removed_until, SLICE do
  local held = redis.pcall('HMGET', key, unpack(ARGV, from, math.min(from + SLICE - 1, removed_until)))
  if held.err then
    return held
  end
  for at = 1, #held do
    removed = removed + (held[at] and 1 or 0)
  end
end

for from = expiring_until + 1, #ARGV, SLICE do
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

for from = 5, removed_until, SLICE do
  redis.call('HDEL', key, unpack(ARGV, from, math.min(from + SLICE - 1, removed_until)))
end

if lacks_permanent then
  redis.call('HSET', key, '', '')
end
redis.call('PEXPIRE', key, lifetime)
return removed
