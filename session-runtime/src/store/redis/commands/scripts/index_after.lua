end

-- An error that a command raises must not leave the lists without an expiry.
local has_run, reply = pcall(change_session, keys, arguments)
if not has_run and type(reply) ~= 'table' then
  reply = redis.error_reply(reply)
end
local label = redis.pcall('HGET', session, LABEL)
local is_live = type(label) ~= 'table'
local is_label, labels = pcall(cjson.decode, is_live and label or '{}')
if not is_label or type(labels) ~= 'table' then
  labels = {}
end
local is_relabelled = false
for _, change in ipairs(changes) do
  local value = is_live and redis.call('HGET', session, change.field)
  local holds = value and change.hash ~= '' and (value == change.value or not change.is_new)
  if holds and change.is_new then
    labels[change.index] = {change.hash, change.field, math.floor(change.added_at * 1000)}
    is_relabelled = true
  end
  if holds and change.list then
    if former_member ~= '' and reply == 1 then
      redis.call('ZREM', change.list, former_member)
    end
    redis.call('ZREMRANGEBYSCORE', change.list, '-inf', '(' .. string.format('%.0f', now - MARKED_FOR))
    outlive(change.list, tonumber(ARGV[4]))
  elseif change.list and not change.former then
    redis.call('ZREM', change.list, member)
  end
  -- The label may be that of another field.
  local own = labels[change.index]
  if own and not value and not (type(own) == 'table' and own[2] and redis.call('HGET', session, own[2])) then
    labels[change.index] = nil
    is_relabelled = true
  end
end
if is_relabelled and is_live then
  if next(labels) then
    redis.call('HSET', session, LABEL, cjson.encode(labels))
  else
    redis.call('HDEL', session, LABEL)
  end
end
return reply
