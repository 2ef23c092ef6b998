-- Keeps indexes in step with another script. That script becomes the body of a function between
-- this file and index_after.lua. Before all this stands a line for `sets_last`: true if the
-- script's last arguments are the fields to set, each with the value.
--
-- KEYS      The keys of that script, then the lists of the index entries.
-- ARGV[1]   The number of keys of that script: 2 for a rotation, otherwise 1.
-- ARGV[2]   The id of the session after the change, which is the member of each list.
-- ARGV[3]   The id before a rotation, or an empty text if it has no entries.
-- ARGV[4]   The time until the absolute deadline of the session, in milliseconds.
-- ARGV[5]   For a rotation: the label that the caller knows, or an empty text.
-- ARGV[6]   In a cluster, the change is refused after this time, in seconds. Otherwise empty.
-- ARGV[7]   The number of changes of indexed fields.
--
-- Ten arguments follow for each change, and then the arguments of that script:
--
-- 1  The name of the index.
-- 2  The stored name of the field.
-- 3  The position of the list among KEYS. Or 0 if the field is removed, or in a cluster.
-- 4  The hash in the name of the list. Empty if the field is removed.
-- 5  1 if the value is new, or 0 if the value moves along with a rotation.
-- 6  The new value. If only the beginning of a stored value counts: all beginnings that the value
--    may have, one after the other. The newest is the first.
-- 7  The length of each beginning. Or empty if the whole value counts.
-- 8  The login is refused if the list was marked at this time or later, in seconds. Or empty.
-- 9  The login is refused if the list has this many other members. Or empty.
-- 10 In a cluster, the time at which index_add.lua added the session. Otherwise empty.
--
-- The label is a field of the session with a name that no schema can have. Its value is JSON: for
-- each index an array of the list's hash, the field, and the time of the sign-in in milliseconds.
--
-- In a cluster, the lists are on other nodes, and only the label is kept in step here.
--
-- If the first argument of modify.lua is empty, the time in the label stays the same.
--
-- A rotation that changes the value of an indexed field to another one keeps only the set fields.
--
-- A rotation returns the label if the caller does not know it, and changes nothing. An error with
-- ENDEDSINCE or TOOMANY refuses a login, and changes nothing. A change that is too late returns
-- `late` and the server's time, and changes nothing. Otherwise, returns the reply of that script.
--
-- The first write is the ZADD, which a server with full memory refuses before anything has changed.
-- Afterwards nothing can fail, because the permissions were checked. A member too many is harmless.

local LABEL, EACH = '\0', 10

local own_keys, member, former_member = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local not_after = tonumber(ARGV[6])
if not_after and now > not_after then
  return {'late', string.format('%.6f', now)}
end

local keys, changes, arguments, fields = {}, {}, {}, {LABEL}
for at = 1, own_keys do
  keys[at] = KEYS[at]
end
local from = 8
for at = 1, tonumber(ARGV[7]) do
  changes[at] = {
    index = ARGV[from], field = ARGV[from + 1], list = KEYS[tonumber(ARGV[from + 2])], hash = ARGV[from + 3],
    is_new = ARGV[from + 4] == '1', value = ARGV[from + 5], length = tonumber(ARGV[from + 6]),
    since = tonumber(ARGV[from + 7]), most = tonumber(ARGV[from + 8]), added_at = tonumber(ARGV[from + 9]) or now,
  }
  fields[at + 1] = ARGV[from + 1]
  from = from + EACH
end
for at = from, #ARGV do
  arguments[#arguments + 1] = ARGV[at]
end

local keeps_times = arguments[1] == ''

-- The other script decides on a key without a session.
local held = redis.pcall('HMGET', keys[1], unpack(fields))
if held.err then
  held = {}
elseif own_keys == 2 and (held[1] or '') ~= ARGV[5] then
  return held[1] or ''
end

-- Returns whether a stored value is the new value, with any of the beginnings.
local function is_same(stored, change)
  local value, length = change.value, change.length
  if not length then
    return stored == value
  end
  local beginning = string.sub(stored, 1, length)
  for at = 1, #value, length do
    if string.sub(value, at, at + length - 1) == beginning then
      return true
    end
  end
  return false
end

-- If the user is another one, nothing of the former user is kept.
for at, change in ipairs(changes) do
  local former = held[at + 1]
  if own_keys == 2 and former and change.is_new and change.hash ~= '' and not is_same(former, change) then
    local kept_from = 8 + arguments[5] + 2 * arguments[6]
    for _ = 1, tonumber(arguments[7]) do
      table.remove(arguments, kept_from)
    end
    arguments[7] = '0'
  end
end

local function parse(label)
  local is_label, labels = pcall(cjson.decode, label)
  return is_label and type(labels) == 'table' and labels or {}
end

-- If the other script sets all indexed fields, it sets the label too. Otherwise index_after.lua
-- looks at the fields.
local sets_all = sets_last and #changes > 0
for _, change in ipairs(changes) do
  sets_all = sets_all and change.is_new and change.hash ~= ''
end
if sets_all then
  local labels = held[1] and parse(held[1]) or {}
  for _, change in ipairs(changes) do
    labels[change.index] = {change.hash, change.field, math.floor(change.added_at * 1000)}
  end
  arguments[#arguments + 1] = LABEL
  arguments[#arguments + 1] = cjson.encode(labels)
end

-- What could be refused after the first write is checked before.
local session = keys[own_keys]
local is_permitted = sets_all or may('HMGET', session, LABEL) and may('HSET', session, LABEL, '') and may('HDEL', session, LABEL)
for _, change in ipairs(changes) do
  if change.list then
    change.former, change.left = score_in(change.list, member), redis.pcall('PTTL', change.list)
    if type(change.former) == 'table' or type(change.left) == 'table' then
      return type(change.former) == 'table' and change.former or change.left
    end
    is_permitted = is_permitted and may_change(change.list)
  end
end
if not is_permitted then
  return redis.error_reply('NOPERM an index needs ZADD, PEXPIRE, HMGET, HSET and HDEL')
end

local own_id = string.match(keys[1], '[^:]*$')
for _, change in ipairs(changes) do
  local refused = change.list and refusal(change.list, member, own_id, change.since, change.most)
  if refused then
    return refused
  end
end
for _, change in ipairs(changes) do
  if change.list then
    local added = redis.pcall('ZADD', change.list, new_score(change.former, tonumber(ARGV[4])), member)
    if type(added) == 'table' then
      return added
    end
    outlive(change.list, change.left, tonumber(ARGV[4]))
  end
end

local keeps_indexes = true
local function change_session(KEYS, ARGV)
