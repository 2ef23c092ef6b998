-- Removes members of an index's list that did not fit a session. For a cluster, where the sessions
-- are on other nodes.
--
-- KEYS[1]  The list.
-- ARGV[1]  The time of the list's read before the looks at the sessions, in seconds.
--
-- Three arguments follow for each member: the member, a word for the session, and for `refused` the
-- score of the addition if the member was new. Otherwise an empty text.
--
-- dead      The session has a tombstone. A dead session stays dead, so the member goes.
-- refused   The second step of a change was refused. The member goes if it was new and nobody has
--           added it since. Otherwise it ceases to count as a session.
-- unproven  Any other session. The second step of a change may be under way. The member goes if it
--           was added so long ago that the second step was refused before the look. If the member
--           was five minutes old at the look, it only ceases to count as a session.

local PENDING_FOR, COUNTS_FOR, LOOKED_FOR = 600, 300, 60

local list, read_at = KEYS[1], tonumber(ARGV[1])
if now - read_at > LOOKED_FOR then
  return 0
end
for at = 2, #ARGV, 3 do
  local member = ARGV[at]
  local score = tonumber(redis.call('ZSCORE', list, member) or nil)
  if score then
    -- A member may be ahead of the clock after a failover.
    local ago = (time[1] - math.abs(score) % 1 * CYCLE + PENDING_FOR) % CYCLE - PENDING_FOR
    local word = ARGV[at + 1]
    local is_own = score == tonumber(ARGV[at + 2])
    if word == 'dead' or is_own or (word == 'unproven' and ago > PENDING_FOR) then
      redis.call('ZREM', list, member)
    elseif score > 0 and (word == 'refused' or ago - (now - read_at) > COUNTS_FOR) then
      -- A server with full memory may refuse this. The other members go all the same.
      redis.pcall('ZADD', list, string.format('%.17g', -score), member)
    end
  end
end
return 1
