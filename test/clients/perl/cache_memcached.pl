use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Checks;

eval { require Cache::Memcached; 1 } or missing('Cache::Memcached');
say_line('version', $Cache::Memcached::VERSION);

sub client { Cache::Memcached->new({ servers => [HOST . ':' . (shift // MEMCACHED_PORT)], @_ }) }

my $client = client();

operation 'wrong token' => sub {
    # Every error is the answer 0 or undef.
    same(!!$client->set('oauth', WRONG_SIGN_IN), '');
    same(!!$client->set('key', '1'), '');
    $client->disconnect_all;
};

operation 'sign-in' => sub { same($client->set('oauth', SIGN_IN), 1) };

operation 'set, get' => sub {
    same($client->set('key', 'value'), 1);
    same($client->get('key'), 'value');
    same($client->get('not-there'), undef);
    same($client->set('empty', ''), 1);
    same($client->get('empty'), '');
};

operation 'seen by REST' => sub { same(by_rest('key'), 'value') };

operation 'add, replace' => sub {
    same(!!$client->add('added', '1'), 1);
    same(!!$client->add('added', '2'), '');
    same(!!$client->replace('added', '3'), 1);
    same(!!$client->replace('not-there', '4'), '');
    same($client->get('added'), '3');
};

operation 'append, prepend' => sub {
    same(!!$client->append('key', '>'), 1);
    same(!!$client->prepend('key', '<'), 1);
    same($client->get('key'), '<value>');
    same(!!$client->append('not-there', '>'), '');
};

operation 'delete' => sub {
    same(!!$client->delete('key'), 1);
    same(!!$client->delete('key'), '');
};

operation 'incr, decr' => sub {
    $client->set('number', 10);
    same($client->incr('number'), 11);
    same($client->incr('number', 9), 20);
    same($client->decr('number', 50), 0);
    same(!!$client->incr('not-there'), '');
};

absent('touch');
absent('gat');

operation 'multi-get of 100 keys' => sub {
    my %many = many();
    $client->set($_, $many{$_}) for keys %many;
    my $found = $client->get_multi(keys %many, 'not-there');
    same(scalar keys %$found, 100);
    same($found->{$_}, $many{$_}) for keys %many;
};

absent('cas');

operation 'flags, types' => sub {
    $client->set('typed', { a => [1, 2] });
    same(join(' ', @{ $client->get('typed')->{a} }), '1 2');
    my $zipping = client(BOUND_PORT, compress_threshold => 100);
    same($zipping->set('zipped', 'zipped ' x 1000), 1);
    same($client->get('zipped'), 'zipped ' x 1000);
};

operation 'all byte values' => sub {
    same($client->set('bytes', ALL_BYTES), 1);
    same($client->get('bytes'), ALL_BYTES);
    same(by_rest('bytes'), ALL_BYTES);
};

operation '900 KB' => sub {
    same($client->set('large', LARGE), 1);
    same($client->get('large'), LARGE);
};

operation 'expiry' => sub {
    $client->set('expiring', '1', 1);
    $client->set('staying', '1', 100);
    same($client->get('expiring'), '1');
    select undef, undef, undef, 2.1;
    same($client->get('expiring'), undef);
    same($client->get('staying'), '1');
};

operation 'stats' => sub {
    my $stats = $client->stats(['misc', 'items', 'sizes']);
    my ($misc) = map { $_->{misc} } values %{ $stats->{hosts} };
    same($misc->{curr_items} > 0, 1);
};

operation 'flush' => sub {
    $client->set('flushed', '1');
    same($client->flush_all, 1);
    same($client->get('flushed'), undef);
};

operation 'reconnect' => sub {
    $client->disconnect_all;
    same(!!$client->set('key', '1'), '');
    same($client->set('oauth', SIGN_IN), 1);
    same($client->set('key', 'again'), 1);
    same($client->get('key'), 'again');
};

operation 'without an answer' => sub {
    # In void context.
    $client->set('quiet', '1');
    $client->incr('quiet', 4);
    same($client->get('quiet'), '5');
};

operation 'bound listener' => sub {
    my $bound = client(BOUND_PORT);
    same($bound->set('bound', '1'), 1);
    same($client->get('bound'), '1');
};
