-- Carries out one write to a session: all changes or none.
--
-- KEYS[1]  The session.
-- ARGV[1]  The lifetime of the session, in milliseconds.
-- ARGV[2]  1 to create a missing session, or 0 if the session must exist.
-- ARGV[3]  The number of removed fields.
-- ARGV[4]  The number of set fields that get an expiry of their own.
--
-- Three lists follow: the names of the removed fields, the fields that get an expiry, and the
-- fields to set. In the second list, each field is followed by the lifetime in milliseconds. In the
-- third list, each field is followed by the value. A field that is set without an expiry has no
-- expiry afterwards, because HSET removes the expiry.
--
-- Returns how many of the removed fields existed, or -1 for a missing session. A tombstone returns
-- WRONGTYPE.
--
-- The first write is an HSET, or a deletion if nothing is set. If the server refuses writes because
-- of memory, replicas or disk, it refuses the first write, before anything was changed. A write
-- that only removes works even if the memory is full.
--
-- After the first write nothing can fail. The user's permissions for the remaining commands are
-- checked before. Otherwise a key could be left that never expires. Servers of other makes that
-- cannot check permissions are refused.

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
-- A session created by another program may lack the permanent field.
local lacks_permanent = permanent == 0

if lacks_permanent and ARGV[2] == '0' and redis.call('EXISTS', key) == 0 then
  return -1
end
if not (may('PEXPIRE', key, lifetime) and (removed_until == 4 or may('HDEL', key, ''))) then
  return redis.error_reply('NOPERM a session needs PEXPIRE and HDEL')
end
if expiring_until > removed_until then
  -- If the server lacks the command, this raises an error instead of returning false.
  local is_known, is_permitted = pcall(may, 'HPEXPIRE', key, '1', 'FIELDS', '1', '')
  if not is_known then
    return redis.error_reply('NOFIELDEXPIRY Redis 7.4 or later, or Valkey 9 or later, is needed')
  elseif not is_permitted then
    return redis.error_reply('NOPERM fields that expire need HPEXPIRE')
  end
end

-- Existing fields are counted by a read. HDEL also counts expired fields until the server has
-- cleared them.
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
