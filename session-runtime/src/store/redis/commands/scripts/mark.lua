-- Records an end of all sessions in the list of an index, and returns the members.
--
-- KEYS[1]  The list.
--
-- The mark is a member whose score is the time of the end, in seconds by this server's clock. The
-- script index_before.lua compares the mark with the beginning of a login, and forgets old marks.
--
-- The first write is a removal, because a server with full memory refuses a ZADD that comes first.

local MARK, MARKED_FOR = 'ended', 600

local list, may = KEYS[1], redis.acl_check_cmd
if not may then
  return redis.error_reply('NOACLCHECK Redis 7 or later, or Valkey, is needed')
end
local time = redis.call('TIME')
local now = string.format('%.6f', time[1] + time[2] / 1000000)
if not (may('ZADD', list, now, MARK) and may('PTTL', list) and may('PEXPIRE', list, '1') and may('ZRANGE', list, '0', '-1')) then
  return redis.error_reply('NOPERM an index needs ZADD, PTTL, PEXPIRE and ZRANGE')
end

redis.call('ZREMRANGEBYSCORE', list, '-inf', '(' .. string.format('%.0f', time[1] - MARKED_FOR))
redis.call('ZADD', list, now, MARK)
if redis.call('PTTL', list) < 1000 * MARKED_FOR then
  redis.call('PEXPIRE', list, 1000 * MARKED_FOR)
end
return redis.call('ZRANGE', list, '0', '-1')
