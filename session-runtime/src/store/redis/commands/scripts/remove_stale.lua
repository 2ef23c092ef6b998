-- Removes the members of an index's list whose session does not have the value.
--
-- KEYS[1]  The list. The keys of the sessions follow.
-- ARGV[1]  The stored name of the field.
-- ARGV[2]  The former name of the field, or an empty text.
-- ARGV[3]  The value. The members follow, in the order of the sessions.

local list = KEYS[1]
for at = 2, #KEYS do
  local key = KEYS[at]
  local value = redis.pcall('HGET', key, ARGV[1])
  if value == false and ARGV[2] ~= '' then
    value = redis.pcall('HGET', key, ARGV[2])
  end
  local is_error = type(value) == 'table' and not string.find(value.err, '^WRONGTYPE')
  if value ~= ARGV[3] and not is_error then
    redis.call('ZREM', list, ARGV[at + 2])
  end
end
return 1
