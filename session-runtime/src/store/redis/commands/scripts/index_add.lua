-- Adds a session to the list of an index. This is the first step of a change in a cluster, where
-- the session is on another node. The second step is a script of index_before.lua.
--
-- KEYS[1]  The list.
-- ARGV[1]  The id of the session.
-- ARGV[2]  The time until the absolute deadline of the session, in milliseconds.
-- ARGV[3]  The last part of the session's key.
-- ARGV[4]  The login is refused if the list was marked at this time or later, in seconds. Or empty.
-- ARGV[5]  The login is refused if the list has this many other members. Or empty.
--
-- Returns the time of the addition, in seconds, and the score if the member is new. An error with
-- ENDEDSINCE or TOOMANY refuses a login, and changes nothing.

local list, member, deadline_in = KEYS[1], ARGV[1], tonumber(ARGV[2])
local former, left = score_in(list, member), redis.pcall('PTTL', list)
if type(former) == 'table' or type(left) == 'table' then
  return type(former) == 'table' and former or left
elseif not may_change(list) then
  return redis.error_reply('NOPERM an index needs ZADD and PEXPIRE')
end
local refused = refusal(list, member, ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]))
if refused then
  return refused
end

local score = new_score(former, deadline_in)
local added = redis.pcall('ZADD', list, score, member)
if type(added) == 'table' then
  return added
end
outlive(list, left, deadline_in)
tidy(list, '0')
redis.pcall('ZREMRANGEBYSCORE', list, '(-' .. string.format('%.0f', now - MARKED_FOR), '(0')
return {string.format('%.6f', now), not former and score}
