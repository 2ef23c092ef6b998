-- Adds a session to the list of an index, if the session has the value and is not in the list.
--
-- KEYS[1]  The session.
-- KEYS[2]  The list. Missing in a cluster, where index_add.lua adds the session afterwards.
-- ARGV[1]  The id of the session, which is the member of the list.
-- ARGV[2]  For an id from Python: the id up to the creation time, which may differ in the list.
--          Otherwise an empty text.
-- ARGV[3]  The time until the absolute deadline of the session, in milliseconds.
-- ARGV[4]  The name of the index.
-- ARGV[5]  The hash in the name of the list.
-- ARGV[6]  The stored name of the field.
-- ARGV[7]  The former name of the field, or an empty text.
-- ARGV[8]  The value, or the beginning of the value that counts.
-- ARGV[9]  The length of that beginning. Or empty if the whole value counts.
--
-- Returns 1 if the session was not in the list, otherwise 0. A session without the value returns -2
-- and stays unchanged. Returns -1 for a missing session. A tombstone returns WRONGTYPE.
--
-- The session also gets the label of this list, see index_before.lua, unless the label is there. A
-- new label has the time 0, because the time of the sign-in is unknown. The expiry of the session
-- stays the same.
--
-- The first write is the ZADD, which a server with full memory refuses before anything has changed.
-- Afterwards nothing can fail, because the permissions were checked.

local LABEL, UNKNOWN = '\0', 0

local key, list, member, any_time, index, hash = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[4], ARGV[5]
local deadline_in, field, former, value, length = tonumber(ARGV[3]), ARGV[6], ARGV[7], ARGV[8], tonumber(ARGV[9])

local held = redis.pcall('HMGET', key, field, former, LABEL)
if held.err then
  return held
elseif not held[1] and former ~= '' then
  field, held[1] = former, held[2]
end
if not held[1] or string.sub(held[1], 1, length or -1) ~= value then
  return redis.call('EXISTS', key) == 1 and -2 or -1
end

local is_label, labels = pcall(cjson.decode, held[3] or '{}')
if not is_label or type(labels) ~= 'table' then
  labels = {}
end
local has_label = type(labels[index]) == 'table' and labels[index][1] == hash

-- An id from Python may be in the list with another creation time.
local score = list and score_in(list, member)
if type(score) == 'table' then
  return score
elseif list and not score and any_time ~= '' then
  for _, other in ipairs(redis.call('ZRANGE', list, '0', '-1')) do
    if string.sub(other, 1, #any_time) == any_time then
      member, score = other, score_in(list, other)
    end
  end
end
local left = list and redis.pcall('PTTL', list)
if type(left) == 'table' then
  return left
elseif not (may('HSET', key, LABEL, '') and (not list or may_change(list))) then
  return redis.error_reply('NOPERM an index needs ZADD, PEXPIRE and HSET')
end

if list then
  local added = redis.pcall('ZADD', list, new_score(score, deadline_in), member)
  if type(added) == 'table' then
    return added
  end
  outlive(list, left, deadline_in)
end
if not has_label then
  labels[index] = {hash, field, UNKNOWN}
  redis.call('HSET', key, LABEL, cjson.encode(labels))
end
return score and 0 or 1
