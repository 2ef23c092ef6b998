-- Carries out one write of a session: all of it, or nothing.
--
-- KEYS[1]  the session
-- ARGV[1]  how long from now the session is kept, in milliseconds
-- ARGV[2]  1: a missing session is begun, 0: it has to be there
-- ARGV[3]  how many fields are removed; their names follow, and after them the fields to set, each with its value
--
-- Returns how many of the removed fields were there, or -1 for a missing session. A tombstone answers WRONGTYPE.
--
-- The first write is an HSET, or a deletion where nothing is set: what the server refuses (memory, replicas, disk), it refuses there,
-- before anything was changed, and what only removes works when memory is full. After it nothing can fail: whether the user may do the rest
-- is asked before (Redis 7 and Valkey can tell), else a key could stay that never expires.

local SLICE = 2000 -- arguments of one command: unpack has room for some 8,000

local key, lifetime, removed_until = KEYS[1], ARGV[1], 3 + tonumber(ARGV[3])
local may = redis.acl_check_cmd

local permanent = redis.pcall('HEXISTS', key, '')
if type(permanent) == 'table' then
  return permanent
end
-- A session that another program began may lack the permanent field.
local lacks_permanent = permanent == 0

if lacks_permanent and ARGV[2] == '0' and redis.call('EXISTS', key) == 0 then
  return -1
end
if may and not (may('PEXPIRE', key, lifetime) and (removed_until == 3 or may('HDEL', key, ''))) then
  return redis.error_reply('NOPERM a session needs PEXPIRE and HDEL')
end

for from = removed_until + 1, #ARGV, SLICE do
  local to = math.min(from + SLICE - 1, #ARGV)
  if lacks_permanent then
    redis.call('HSET', key, '', '', unpack(ARGV, from, to))
    lacks_permanent = false
  else
    redis.call('HSET', key, unpack(ARGV, from, to))
  end
end

local removed = 0
for from = 4, removed_until, SLICE do
  removed = removed + redis.call('HDEL', key, unpack(ARGV, from, math.min(from + SLICE - 1, removed_until)))
end

if lacks_permanent then
  redis.call('HSET', key, '', '')
end
redis.call('PEXPIRE', key, lifetime)
return removed
