-- Sets an expiry for one field of a session.
--
-- KEYS[1]  The session.
-- ARGV[1]  The lifetime of the session, in milliseconds.
-- ARGV[2]  The field.
-- ARGV[3]  The lifetime of the field, in milliseconds.
--
-- Returns 1, 0 if the field does not exist, or -1 for a missing session. A tombstone returns
-- WRONGTYPE.
--
-- As in write.lua, everything that could be refused after the first write is checked before.

local key, lifetime, field, field_lifetime = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local may = redis.acl_check_cmd
if not may then
  return redis.error_reply('NOACLCHECK Redis 7 or later, or Valkey, is needed')
end

local stored = redis.pcall('HMGET', key, '', field)
if stored.err then
  return stored
end
-- A session created by another program may lack the permanent field, and would end with the last
-- field.
local lacks_permanent, is_there = not stored[1], stored[2]

if lacks_permanent and redis.call('EXISTS', key) == 0 then
  return -1
end

-- If the server lacks the command, this raises an error instead of returning false.
local is_known, is_permitted = pcall(may, 'HPEXPIRE', key, field_lifetime, 'FIELDS', '1', field)
if not is_known then
  return redis.error_reply('NOFIELDEXPIRY Redis 7.4 or later, or Valkey 9 or later, is needed')
elseif not (is_permitted and may('PEXPIRE', key, lifetime)) then
  return redis.error_reply('NOPERM fields that expire need HPEXPIRE and PEXPIRE')
end

if lacks_permanent then
  redis.call('HSET', key, '', '')
end
if is_there then
  redis.call('HPEXPIRE', key, field_lifetime, 'FIELDS', '1', field)
end
redis.call('PEXPIRE', key, lifetime)
return is_there and 1 or 0
