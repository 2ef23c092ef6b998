-- Records an end of all sessions in the list of an index, and returns the members.
--
-- KEYS[1]  The list.
--
-- Returns the time of the server, and the members with their scores.
--
-- The mark is a member whose score is the time of the end, in seconds by this server's clock. A
-- login compares the mark with its beginning, see index_list.lua. Old marks go.
--
-- The first write is a removal, because a server with full memory refuses a ZADD that comes first.

local list, marked_at = KEYS[1], string.format('%.6f', now)
if not (may('ZADD', list, marked_at, MARK) and may('PTTL', list) and may('PEXPIRE', list, '1') and may('ZRANGE', list, '0', '-1')) then
  return redis.error_reply('NOPERM an index needs ZADD, PTTL, PEXPIRE and ZRANGE')
end

tidy(list, '0')
redis.call('ZADD', list, marked_at, MARK)
outlive(list, redis.call('PTTL', list), 0)
return {time, redis.call('ZRANGE', list, '0', '-1', 'WITHSCORES')}
