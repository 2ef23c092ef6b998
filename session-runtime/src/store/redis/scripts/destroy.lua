-- Ends a session: its fields go, a tombstone stays.
--
-- KEYS[1]  the session
-- ARGV[1]  how long the tombstone stays, in milliseconds
--
-- Returns 1 for a session that is ended now, 0 for a missing one, and the content of a tombstone: the id that the session moved to, or
-- nothing. What is neither answers WRONGTYPE.
--
-- Everything that could be refused is looked at before the first write. That is an UNLINK: it works when memory is full, after it the
-- server no longer asks for memory, and it takes a large hash apart in the background.

local key, lifetime = KEYS[1], ARGV[1]

local permanent = redis.pcall('HEXISTS', key, '')
if type(permanent) == 'table' then
  return redis.pcall('GET', key) or permanent
end
if permanent == 0 and redis.call('EXISTS', key) == 0 then
  return 0
end

if not string.find(lifetime, '^[1-9]%d*$') then
  return redis.error_reply('ERR not a lifetime')
end
-- Redis 6 cannot tell.
if redis.acl_check_cmd and not redis.acl_check_cmd('SET', key, '', 'PX', lifetime) then
  return redis.error_reply('NOPERM the tombstone may not be written')
end

redis.call('UNLINK', key)
redis.call('SET', key, '', 'PX', lifetime)
return 1
