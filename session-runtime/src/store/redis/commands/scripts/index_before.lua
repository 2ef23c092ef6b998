-- Keeps indexes in step with another script. That script becomes the body of a function between
-- this file and index_after.lua.
--
-- KEYS      The keys of that script, then the lists of the index entries.
-- ARGV[1]   The number of keys of that script: 2 for a rotation, otherwise 1.
-- ARGV[2]   The id of the session after the change, which is the member of each list.
-- ARGV[3]   The id before a rotation, or an empty text if it has no entries.
-- ARGV[4]   The time until the absolute deadline of the session, in milliseconds.
-- ARGV[5]   For a rotation: the label that the caller knows, or an empty text.
-- ARGV[6]   The number of changes of indexed fields.
--
-- Eight arguments follow for each change, and then the arguments of that script:
--
-- 1  The name of the index.
-- 2  The stored name of the field.
-- 3  The position of the list among KEYS, or 0 if the field is removed.
-- 4  The hash in the name of the list.
-- 5  1 if the value is new, or 0 if the value moves along with a rotation.
-- 6  The new value.
-- 7  The login is refused if the list was marked at this time or later, in seconds. Or empty.
-- 8  The login is refused if the list has this many other members. Or empty.
--
-- The label is a field of the session with a name that no schema can have. Its value is JSON: for
-- each index an array of the list's hash, the field, and the time of the sign-in in milliseconds.
--
-- A rotation that changes the value of an indexed field to another one keeps only the set fields.
--
-- A rotation returns the label if the caller does not know it, and changes nothing. An error with
-- ENDEDSINCE or TOOMANY refuses a login, and changes nothing. Otherwise, returns the reply of that
-- script.
--
-- The first write is the ZADD, which a server with full memory refuses before anything has changed.
-- Afterwards nothing can fail, because the permissions were checked. A member too many is harmless.

local LABEL, MARK, MARKED_FOR, EACH = '\0', 'ended', 600, 8

local own_keys, member, former_member = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local may = redis.acl_check_cmd
if not may then
  return redis.error_reply('NOACLCHECK Redis 7 or later, or Valkey, is needed')
end

local keys, changes, arguments = {}, {}, {}
for at = 1, own_keys do
  keys[at] = KEYS[at]
end
local from = 7
for at = 1, tonumber(ARGV[6]) do
  changes[at] = {
    index = ARGV[from], field = ARGV[from + 1], list = KEYS[tonumber(ARGV[from + 2])], hash = ARGV[from + 3],
    is_new = ARGV[from + 4] == '1', value = ARGV[from + 5], since = tonumber(ARGV[from + 6]), most = tonumber(ARGV[from + 7]),
  }
  from = from + EACH
end
for at = from, #ARGV do
  arguments[#arguments + 1] = ARGV[at]
end

if own_keys == 2 then
  local label = redis.pcall('HGET', keys[1], LABEL)
  if type(label) ~= 'table' and (label or '') ~= ARGV[5] then
    return label or ''
  end
end

-- If the user is another one, nothing of the former user is kept.
for _, change in ipairs(changes) do
  local former = own_keys == 2 and change.is_new and redis.pcall('HGET', keys[1], change.field)
  if type(former) == 'string' and change.list and former ~= change.value then
    local kept_from = 8 + arguments[5] + 2 * arguments[6]
    for _ = 1, tonumber(arguments[7]) do
      table.remove(arguments, kept_from)
    end
    arguments[7] = '0'
  end
end

local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local deadline = string.format('%.0f', math.ceil(now + ARGV[4] / 1000))
local session = keys[own_keys]
local is_permitted = may('HGET', session, LABEL) and may('HSET', session, LABEL, '') and may('HDEL', session, LABEL)
for _, change in ipairs(changes) do
  local list = change.list
  if list then
    change.was_member = redis.pcall('ZSCORE', list, member)
    if type(change.was_member) == 'table' then
      -- A WRONGTYPE would stand for a tombstone.
      return redis.error_reply('NOLIST the list of an index cannot be read')
    end
    is_permitted = is_permitted and may('ZADD', list, 'GT', deadline, member) and may('ZREM', list, member)
      and may('ZREMRANGEBYSCORE', list, '-inf', '0') and may('PTTL', list) and may('PEXPIRE', list, '1')
  end
end
if not is_permitted then
  return redis.error_reply('NOPERM an index needs ZADD, ZREM, ZREMRANGEBYSCORE, PTTL, PEXPIRE, HGET, HSET and HDEL')
end

-- Returns whether the member is this session, under any id. An id from Python changes its tag.
local tag = string.sub(member, 1, 8)
local own_id = string.match(keys[1], '[^:]*$') .. '.'
local function is_own(other)
  return string.sub(other, 1, 8) == tag or string.sub(other, 1, #own_id) == own_id
end

for _, change in ipairs(changes) do
  local list = change.list
  if change.since then
    local marked_at = redis.call('ZSCORE', list, MARK)
    if change.since < now - MARKED_FOR or (marked_at and tonumber(marked_at) >= change.since) then
      return redis.error_reply('ENDEDSINCE all sessions of the user were ended')
    end
  end
  if change.most then
    local others = 0
    for _, other in ipairs(redis.call('ZRANGE', list, '(' .. time[1], '+inf', 'BYSCORE')) do
      if other ~= MARK and not is_own(other) then
        others = others + 1
      end
    end
    if others >= change.most then
      return redis.error_reply('TOOMANY the user has as many sessions as allowed')
    end
  end
end
for _, change in ipairs(changes) do
  if change.list then
    -- Another process may give the session more time.
    local added = redis.pcall('ZADD', change.list, 'GT', deadline, member)
    if type(added) == 'table' then
      return added
    end
  end
end

local keeps_indexes = true
local function change_session(KEYS, ARGV)
