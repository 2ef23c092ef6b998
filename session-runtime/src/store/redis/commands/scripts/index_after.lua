end

local reply = change_session(keys, arguments)
local is_rotated = own_keys == 2 and reply == 1
local is_set = sets_all and (is_rotated or own_keys == 1 and type(reply) == 'number' and reply >= 0)
local stored = not sets_all and redis.pcall('HMGET', session, unpack(fields)) or {}
local is_live = not stored.err
local labels, is_relabelled = is_live and stored[1] and parse(stored[1]) or {}, false
for at, change in ipairs(changes) do
  local list, value = change.list, is_live and stored[at + 1]
  -- Of the beginnings, only the newest belongs to the list.
  local counts_until = change.length or -1
  local holds = is_set or value and change.hash ~= ''
    and (not change.is_new or string.sub(value, 1, counts_until) == string.sub(change.value, 1, counts_until))
  if holds and change.is_new then
    local former, UNKNOWN = labels[change.index], 0
    local kept_at = keeps_times and (type(former) == 'table' and tonumber(former[3]) or UNKNOWN)
    labels[change.index] = {change.hash, change.field, kept_at or math.floor(change.added_at * 1000)}
    is_relabelled = true
  end
  if list and holds then
    tidy(list, '-inf')
    if is_rotated and former_member ~= '' then
      redis.pcall('ZREM', list, former_member)
    end
  elseif list and not change.former then
    redis.pcall('ZREM', list, member)
  end
  -- The label may be that of another field.
  local own = labels[change.index]
  if own and not holds and not value and not (type(own) == 'table' and own[2] and redis.call('HMGET', session, own[2])[1]) then
    labels[change.index] = nil
    is_relabelled = true
  end
end
if is_relabelled and is_live and not sets_all then
  if next(labels) then
    redis.call('HSET', session, LABEL, cjson.encode(labels))
  else
    redis.call('HDEL', session, LABEL)
  end
end
return reply
