-- Removes the members of an index's list whose session does not have the value.
--
-- KEYS[1]  The list. The keys of the sessions follow.
-- ARGV[1]  The stored name of the field.
-- ARGV[2]  The former name of the field, or an empty text.
-- ARGV[3]  The value, or the beginning of the value that counts.
-- ARGV[4]  The length of that beginning. Or empty if the whole value counts.
--
-- The members follow, in the order of the sessions.

local list, counts_until = KEYS[1], tonumber(ARGV[4]) or -1
for at = 2, #KEYS do
  local key = KEYS[at]
  local value = redis.pcall('HGET', key, ARGV[1])
  if value == false and ARGV[2] ~= '' then
    value = redis.pcall('HGET', key, ARGV[2])
  end
  local is_error = type(value) == 'table' and not string.find(value.err, '^WRONGTYPE')
  local holds = type(value) == 'string' and string.sub(value, 1, counts_until) == ARGV[3]
  if not holds and not is_error then
    redis.call('ZREM', list, ARGV[at + 3])
  end
end
return 1
