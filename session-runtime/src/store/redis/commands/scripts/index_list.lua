-- The list of an index: a sorted set with a member for each session. This file comes before other
-- scripts.
--
-- A member is the id of a session. The score is the absolute deadline of the session, in whole
-- seconds by this server's clock. The fraction of the score is the second in which the member was
-- added, as a part of CYCLE seconds. A member with a negative score counts as no session for the
-- limit of a login, see prune.lua. The member MARK is an end of all sessions, see mark.lua.

local MARK, MARKED_FOR, CYCLE = 'ended', 600, 262144

local may = redis.acl_check_cmd
if not may then
  return redis.error_reply('NOACLCHECK Redis 7 or later, or Valkey, is needed')
end
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000

-- Returns the score of a member, false without a member, or an error.
local function score_in(list, member)
  local score = redis.pcall('ZSCORE', list, member)
  if type(score) == 'table' then
    -- A WRONGTYPE would stand for a tombstone.
    return redis.error_reply('NOLIST the list of an index cannot be read')
  end
  return score and tonumber(score)
end

-- Returns the new score of a member. Another process may have given the session more time. Two
-- additions never have the same score: the second in the same second counts as one second later.
local function new_score(former, deadline_in)
  local deadline, added_at = math.ceil(now + deadline_in / 1000), tonumber(time[1])
  if former then
    former = math.abs(former)
    deadline = math.max(deadline, math.floor(former))
    if math.floor(former % 1 * CYCLE + 0.5) == added_at % CYCLE then
      added_at = added_at + 1
    end
  end
  return string.format('%.17g', deadline + added_at % CYCLE / CYCLE)
end

-- Returns whether a list can be changed. Other commands on the list come first, or may fail.
local function may_change(list)
  return may('ZADD', list, '1', '') and may('PEXPIRE', list, '1')
end

-- Returns an error if a login is refused. The ids of one session have the same tag and count once.
-- The session itself does not count. An id from Python changes its tag, so that id is compared.
local function refusal(list, member, own_id, since, most)
  if since then
    local marked_at = redis.call('ZSCORE', list, MARK)
    -- After a failover, the clock may be behind. Then no mark can be compared.
    if since > now or since < now - MARKED_FOR or (marked_at and tonumber(marked_at) >= since) then
      return redis.error_reply('ENDEDSINCE all sessions of the user were ended')
    end
  end
  if most then
    local others, counted = 0, {[MARK] = true, [string.sub(member, 1, 8)] = true}
    for _, other in ipairs(redis.call('ZRANGE', list, '(0', '+inf', 'BYSCORE')) do
      local tag = string.sub(other, 1, 8)
      if not counted[tag] and string.sub(other, 1, #own_id + 1) ~= own_id .. '.' then
        counted[tag] = true
        others = others + 1
      end
    end
    if others >= most then
      return redis.error_reply('TOOMANY the user has as many sessions as allowed')
    end
  end
end

-- Lets the list outlive the session, and old marks. `left` is the reply of PTTL.
local function outlive(list, left, deadline_in)
  local lasts = math.ceil(deadline_in + 1000 * MARKED_FOR)
  if left < lasts then
    redis.call('PEXPIRE', list, string.format('%.0f', lasts))
  end
end

-- Removes old members. An error does no harm.
local function tidy(list, from)
  redis.pcall('ZREMRANGEBYSCORE', list, from, '(' .. string.format('%.0f', now - MARKED_FOR))
end
