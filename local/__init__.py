"""Sightline on one machine, offline: moto in AWS's place, and a runtime that fires the app's triggers.

Never packaged, never imported by the app. ``python -m local`` (:mod:`local.__main__`) starts what
:mod:`local.offline_stack` puts together, in this order:

1. *The folder* in which everything stays: ``folder`` (who works there), ``persistence`` (what is written
   when) with ``journal``, ``item_journal`` (tables) and ``queue_messages``; ``reconciliation`` (what files
   and records do not agree about).
2. *AWS*: ``moto_server`` runs moto behind ``wsgi`` and ``moto_presigned``, which ``aws_channel`` asks
   without HTTP; ``provision`` creates the resources of ``infra/resources.yaml``, which ``template_reader``
   reads.
3. *The runtime*: ``runtime`` reads the app's triggers (``s3``, ``sns``, ``sqs``, ``eventbridge``, DynamoDB's
   streams). Each has an ``event_source``, a ``queue_poller`` and a ``queue_worker``, or else a
   ``stream_reader`` and a ``stream_poller``; all call a ``function``, which runs in the ``function_process``;
   ``throughput`` lets them and moto do more in the same time. ``faults`` says what goes wrong on a bad day,
   ``loop_detection`` stops functions that set each other off, ``activity`` counts who is at work.
4. *The servers*: ``loopback`` (where all listen), ``http_server`` (how requests are read), ``api_server``
   (the routes, as API Gateway shows them), ``partner`` (who gets the XML), and on its own
   ``sagemaker_endpoint``; ``model_check`` (whether a chosen model is there).
5. *The terminal*: ``tour`` (what is printed), ``label`` (photos of one's own, by ``client/``), ``signals``
   (Ctrl-C), ``token_command`` (``make token``), ``install`` (the first time), ``config`` (ports and
   variables).

These mend moto, by ``moto_patches``, and would go if it did:

* ``moto_tables``: it answers calls at once that DynamoDB isolates from each other; it copies and sorts whole
  tables, which takes a third of a second a call with 10,000 items.
* ``moto_updates``: it parses and walks a tree for each change of an attribute.
* ``moto_streams`` with ``shard``: its streams hold steps in between, cancelled transactions and writes that
  changed nothing.
* ``moto_queues`` with ``backlog``: it looks at every waiting message for each that is sent or received.
* ``moto_sizes`` with ``limits``: it takes messages of any size.
* ``moto_objects``: it holds every photo in memory, and every part of an upload for as long as its photo.
* ``moto_presigned``: it stores presigned requests unread, whoever signed them and whatever was added.
* ``moto_overhead``: it does at every request what need not be done.
* ``wsgi``: its server opens a connection and a thread for each call.
"""
