<?php
// The extension php-memcached, on libmemcached, by its text protocol.

require __DIR__ . '/checks.php';

if (!extension_loaded('memcached')) missing('the PHP extension memcached');
$libmemcached = implode('.', array_map('hexdec', str_split(sprintf('%09x', Memcached::LIBMEMCACHED_VERSION_HEX), 3)));
say('version', phpversion('memcached') . ", libmemcached $libmemcached");

function connect(int $port = MEMCACHED_PORT, ?string $pool = null): Memcached
{
    $client = new Memcached($pool);
    if (!$client->getServerList()) {
        $client->setOption(Memcached::OPT_BINARY_PROTOCOL, false);
        $client->addServer(HOST, $port);
    }
    return $client;
}

$client = connect();

operation('wrong token', function () use ($client) {
    same($client->set('oauth', WRONG_SIGN_IN), false);
    same($client->getResultCode() !== Memcached::RES_SUCCESS, true);
    same($client->set('key', '1'), false);
    same($client->get('key'), false);
});

operation('sign-in', function () use ($client) {
    same($client->set('oauth', SIGN_IN), true);
});

operation('set, get', function () use ($client) {
    same($client->set('key', 'value'), true);
    same($client->get('key'), 'value');
    same($client->get('not-there'), false);
    same($client->getResultCode(), Memcached::RES_NOTFOUND);
    same($client->set('empty', ''), true);
    same($client->get('empty'), '');
});

operation('seen by REST', fn () => same(by_rest('key'), 'value'));

operation('add, replace', function () use ($client) {
    same($client->add('added', '1'), true);
    same($client->add('added', '2'), false);
    same($client->replace('added', '3'), true);
    same($client->replace('not-there', '4'), false);
    same($client->get('added'), '3');
});

operation('append, prepend', function () use ($client) {
    $client->setOption(Memcached::OPT_COMPRESSION, false);
    same($client->append('key', '>'), true);
    same($client->prepend('key', '<'), true);
    same($client->get('key'), '<value>');
    $client->setOption(Memcached::OPT_COMPRESSION, true);
});

operation('delete', function () use ($client) {
    same($client->delete('key'), true);
    same($client->delete('key'), false);
    same($client->getResultCode(), Memcached::RES_NOTFOUND);
    $client->setMulti(['a' => '1', 'b' => '2']);
    same($client->deleteMulti(['a', 'b', 'c']), ['a' => true, 'b' => true, 'c' => Memcached::RES_NOTFOUND]);
});

operation('incr, decr', function () use ($client) {
    $client->set('number', 10);
    same($client->increment('number'), 11);
    same($client->increment('number', 9), 20);
    same($client->decrement('number', 50), 0);
    same($client->get('number'), 0);
    same($client->increment('not-there'), false);
    $client->set('text', 'text');
    same(@$client->increment('text'), false);
    same($client->get('number'), 0);
});

operation('touch', function () use ($client) {
    $client->set('touched', '1', 100);
    same($client->touch('touched', 1), true);
    same($client->touch('not-there', 1), false);
});

absent('gat');

operation('multi-get of 100 keys', function () use ($client) {
    same($client->setMulti(many()), true);
    same($client->getMulti([...array_keys(many()), 'not-there'], Memcached::GET_PRESERVE_ORDER), [...many(), 'not-there' => null]);
    same($client->getDelayed(array_keys(many()), true), true);
    same(count($client->fetchAll()), 100);
});

operation('cas', function () use ($client) {
    $client->set('cas', '1');
    $found = $client->get('cas', null, Memcached::GET_EXTENDED);
    same($found['value'], '1');
    same($client->cas($found['cas'], 'cas', '2'), true);
    same($client->cas($found['cas'], 'cas', '3'), false);
    same($client->getResultCode(), Memcached::RES_DATA_EXISTS);
    same($client->get('cas'), '2');
});

operation('flags, types', function () use ($client) {
    foreach (['text', 'ä', 42, -1, 1.5, true, false, null, ['a' => [1, 2]]] as $value) {
        same($client->set('typed', $value), true);
        same($client->get('typed'), $value);
        same($client->getResultCode(), Memcached::RES_SUCCESS);
    }
    $client->setOption(Memcached::OPT_USER_FLAGS, 4711);
    $client->set('flagged', str_repeat('zipped ', 1000));
    $found = $client->get('flagged', null, Memcached::GET_EXTENDED);
    same([$found['value'], $found['flags']], [str_repeat('zipped ', 1000), 4711]);
    $client->setOption(Memcached::OPT_USER_FLAGS, 0);
});

operation('all byte values', function () use ($client) {
    same($client->set('bytes', ALL_BYTES), true);
    same($client->get('bytes'), ALL_BYTES);
    same(by_rest('bytes'), ALL_BYTES);
});

operation('900 KB', function () use ($client) {
    $client->setOption(Memcached::OPT_COMPRESSION, false);
    same($client->set('large', LARGE), true);
    same($client->get('large'), LARGE);
    $client->setOption(Memcached::OPT_COMPRESSION, true);
});

operation('expiry', function () use ($client) {
    $client->set('expiring', '1', 1);
    $client->set('staying', '1', 100);
    $client->set('absolute', '1', time() + 100);
    same($client->get('expiring'), '1');
    usleep(2100000);
    same($client->get('expiring'), false);
    same($client->get('touched'), false);
    same($client->get('staying'), '1');
    same($client->get('absolute'), '1');
});

operation('stats, version', function () use ($client) {
    $stats = current($client->getStats());
    same($stats['curr_items'] > 0, true);
    same(is_array(current($client->getStats('settings'))), true);
    same(count($client->getVersion()), 1);
});

operation('flush', function () use ($client) {
    $client->set('flushed', '1');
    same($client->flush(), true);
    same($client->get('flushed'), false);
});

operation('reconnect', function () use ($client) {
    $client->quit();
    same($client->set('key', '1'), false);
    same($client->set('oauth', SIGN_IN), true);
    same($client->set('key', 'again'), true);
    same($client->get('key'), 'again');
});

operation('noreply, buffered, bound listener', function () {
    $fast = connect(BOUND_PORT);
    $fast->setOption(Memcached::OPT_NOREPLY, true);
    $fast->setOption(Memcached::OPT_BUFFER_WRITES, true);
    for ($i = 0; $i < 200; $i++) $fast->set("fast-$i", "$i");
    $fast->setOption(Memcached::OPT_BUFFER_WRITES, false);
    $fast->setOption(Memcached::OPT_NOREPLY, false);
    same(count($fast->getMulti(array_map(fn ($i) => "fast-$i", range(0, 199)))), 200);
});

operation('persistent connection, bound listener', function () use ($client) {
    same(connect(BOUND_PORT, 'pool')->set('pooled', [1]), true);
    same(connect(BOUND_PORT, 'pool')->get('pooled'), [1]);
    same($client->get('pooled'), [1]);
});

operation('sessions, bound listener', function () {
    ini_set('session.save_handler', 'memcached');
    ini_set('session.save_path', HOST . ':' . BOUND_PORT);
    ini_set('session.use_cookies', '0');
    ini_set('session.cache_limiter', '');
    ini_set('memcached.sess_binary_protocol', '0');
    foreach ([['visits' => 1], ['visits' => 2]] as $i => $data) {
        session_id('the-session-of-the-test');
        same(session_start(), true);
        same($_SESSION, $i === 0 ? [] : ['visits' => 1]);
        $_SESSION = $data;
        same(session_write_close(), true);
    }
});
