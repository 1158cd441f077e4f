<?php
// The extension php-memcache, which speaks the text protocol by itself.

require __DIR__ . '/checks.php';

if (!extension_loaded('memcache')) missing('the PHP extension memcache');
say('version', phpversion('memcache'));

function connect(int $port = MEMCACHED_PORT): Memcache
{
    $client = new Memcache();
    $client->addServer(HOST, $port, false);
    return $client;
}

$client = connect();

operation('wrong token', function () use ($client) {
    same(@$client->set('oauth', WRONG_SIGN_IN), false);
    same(@$client->set('key', '1'), false);
});

operation('sign-in', function () use (&$client) {
    $client->close();
    $client = connect();
    same($client->set('oauth', SIGN_IN), true);
});

operation('set, get', function () use (&$client) {
    same($client->set('key', 'value'), true);
    same($client->get('key'), 'value');
    same($client->get('not-there'), false);
    same($client->set('empty', ''), true);
    same($client->get('empty'), '');
});

operation('seen by REST', fn () => same(by_rest('key'), 'value'));

operation('add, replace', function () use (&$client) {
    same($client->add('added', '1'), true);
    same($client->add('added', '2'), false);
    same($client->replace('added', '3'), true);
    same($client->replace('not-there', '4'), false);
    same($client->get('added'), '3');
});

operation('append, prepend', function () use (&$client) {
    same($client->append('key', '>'), true);
    same($client->prepend('key', '<'), true);
    same($client->get('key'), '<value>');
});

operation('delete', function () use (&$client) {
    same($client->delete('key'), true);
    same($client->delete('key'), false);
});

operation('incr, decr', function () use (&$client) {
    $client->set('number', '10');
    same($client->increment('number'), 11);
    same($client->increment('number', 9), 20);
    same($client->decrement('number', 50), 0);
    same($client->increment('not-there'), false);
});

absent('touch');
absent('gat');

operation('multi-get of 100 keys', function () use (&$client) {
    foreach (many() as $key => $value) $client->set($key, $value);
    $found = $client->get([...array_keys(many()), 'not-there']);
    ksort($found);
    $expected = many();
    ksort($expected);
    same($found, $expected);
});

operation('cas', function () use (&$client) {
    $client->set('cas', '1');
    $flags = 0;
    $cas = 0;
    same($client->get('cas', $flags, $cas), '1');
    same($client->cas('cas', '2', 0, 0, $cas), true);
    same($client->cas('cas', '3', 0, 0, $cas), false);
    same($client->get('cas'), '2');
});

operation('flags, types', function () use (&$client) {
    foreach (['text', 'ä', 42, -1, 1.5, true, false, ['a' => [1, 2]]] as $value) {
        same($client->set('typed', $value), true);
        same($client->get('typed'), $value);
    }
    same($client->set('zipped', str_repeat('zipped ', 1000), MEMCACHE_COMPRESSED), true);
    $flags = 0;
    same($client->get('zipped', $flags), str_repeat('zipped ', 1000));
});

operation('all byte values', function () use (&$client) {
    same($client->set('bytes', ALL_BYTES), true);
    same($client->get('bytes'), ALL_BYTES);
    same(by_rest('bytes'), ALL_BYTES);
});

operation('900 KB', function () use (&$client) {
    same($client->set('large', LARGE), true);
    same($client->get('large'), LARGE);
});

operation('expiry', function () use (&$client) {
    $client->set('expiring', '1', 0, 1);
    $client->set('staying', '1', 0, 100);
    same($client->get('expiring'), '1');
    usleep(2100000);
    same($client->get('expiring'), false);
    same($client->get('staying'), '1');
});

operation('stats, version', function () use (&$client) {
    same($client->getStats()['curr_items'] > 0, true);
    same(is_array($client->getExtendedStats()), true);
    same(is_string($client->getVersion()), true);
});

operation('flush', function () use (&$client) {
    $client->set('flushed', '1');
    same($client->flush(), true);
    same($client->get('flushed'), false);
});

operation('reconnect', function () use (&$client) {
    $client->close();
    $client = connect();
    same(@$client->set('key', '1'), false);
    $client->close();
    $client = connect();
    same($client->set('oauth', SIGN_IN), true);
    same($client->set('key', 'again'), true);
    same($client->get('key'), 'again');
});

operation('persistent connection, bound listener', function () use (&$client) {
    foreach ([1, 2] as $i) {
        $pooled = new Memcache();
        $pooled->addServer(HOST, BOUND_PORT, true);
        same($pooled->set("pooled-$i", [$i]), true);
        same($pooled->get("pooled-$i"), [$i]);
    }
    same($client->get('pooled-1'), [1]);
});

operation('sessions, bound listener', function () {
    ini_set('session.save_handler', 'memcache');
    ini_set('session.save_path', 'tcp://' . HOST . ':' . BOUND_PORT);
    ini_set('session.use_cookies', '0');
    ini_set('session.cache_limiter', '');
    foreach ([['visits' => 1], ['visits' => 2]] as $i => $data) {
        session_id('the-session-of-the-test');
        same(session_start(), true);
        same($_SESSION, $i === 0 ? [] : ['visits' => 1]);
        $_SESSION = $data;
        same(session_write_close(), true);
    }
});
