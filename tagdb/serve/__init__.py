"""HTTP for programs and a page for people: ``tagdb serve``.

A route parses its input, calls the function that the command line calls, and shows what comes back.

==============  ==============================================================================
module          what is in it
==============  ==============================================================================
``options``     what a service is started with
``running``     starting it: the server, its signals
``app``         the application, put together
``guard``       what every request goes through: host, size, time, rate, headers, metrics
``access``      who asks, and what they may do: tokens, the page's cookie, origins
``service``     the work: photos to the embedder, queries to PostgreSQL as the caller's role
``jobs``        long work that the page starts, in processes of its own
``metrics``     what Prometheus is told
``limits``      how often somebody may ask
``problems``    errors as problem documents (RFC 9457)
``bodies``      photos and steering, from bodies, forms and query parameters
``routes``      what can be called
``page``        the pages, with ``templates`` and ``static``
==============  ==============================================================================
"""
