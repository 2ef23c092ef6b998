-- A login by hand: moves a session to another key and into the list of a user, and keeps no field.
-- All of this happens, or nothing.
--
-- KEYS[1]  the session
-- KEYS[2]  the new key of the session
-- KEYS[3]  the list of the user's sessions, by their absolute deadline
-- ARGV[1]  the new id
-- ARGV[2]  the old id
-- ARGV[3]  the lifetime of the session, in milliseconds
-- ARGV[4]  the lifetime of the tombstone, in milliseconds
-- ARGV[5]  the time until the absolute deadline, in milliseconds
-- ARGV[6]  the field with the user
-- ARGV[7]  the user
--
-- Returns 1 if the session was moved now, or earlier by the same login. Returns 0 if the session is
-- missing, has ended or has another user.

local key, successor_key, list = KEYS[1], KEYS[2], KEYS[3]
local successor, user_field, user = ARGV[1], ARGV[6], ARGV[7]

local held = redis.pcall('HMGET', key, '', user_field)
if held.err then
  local tombstone = redis.pcall('GET', key)
  local is_repeated = type(tombstone) == 'string' and string.match(tombstone, '[^:]*$') == successor
  return is_repeated and redis.call('EXISTS', successor_key) or 0
end
if not held[1] or (held[2] and held[2] ~= user) or redis.call('EXISTS', successor_key) == 1 then
  return 0
end
-- The start of the program has checked the permissions. A full server refuses the first write.
local time = redis.call('TIME')
local now = time[1] .. string.sub('00000' .. time[2], -6, -4)
redis.call('ZADD', list, string.format('%.0f', (now + ARGV[5]) / 1000), successor)
local removed = {}
for _, field in ipairs(redis.call('HKEYS', key)) do
  if field ~= '' and field ~= user_field then
    removed[#removed + 1] = field
  end
end
redis.call('HSET', key, user_field, user, 'signed_in_at', now)
if #removed > 0 then
  redis.call('HDEL', key, unpack(removed))
end
redis.call('RENAME', key, successor_key)
redis.call('SET', key, 'renewed:' .. now .. ':' .. successor, 'PX', ARGV[4])
redis.call('PEXPIRE', successor_key, ARGV[3])
redis.call('ZREM', list, ARGV[2])
redis.call('ZREMRANGEBYSCORE', list, '-inf', time[1])
if redis.call('PTTL', list) < tonumber(ARGV[5]) then
  redis.call('PEXPIRE', list, ARGV[5])
end
return 1
