"""Sentences in many languages, written for these tests, and texts of any length made from them."""

import random

SENTENCES = {
    "English": """
The ferry left the harbour an hour late because of the fog.
My grandmother keeps her letters in a wooden box under the stairs.
Nobody in the village remembers who built the old stone bridge.
In winter the lake freezes, and the children skate until it is dark.
He asked twice for the price, counted his coins and bought nothing.
The teacher closed the book, looked out of the window and was silent for a long while.
Every Saturday the farmers bring apples, cheese and honey to the market.
We walked along the river and talked about the summer that was over.
The last train had gone, so we slept on a bench in the waiting room.
Her brother repairs clocks, and none of his own shows the right time.
A good soup needs patience, said the cook, and salt at the very end.
The cat watched the rain from the kitchen as if it were a play.
When the lights went out, somebody laughed and somebody lit a candle.
They planted a walnut tree in the year in which their daughter was born.
""",
    "French": """
Le bateau a quitté le port avec une heure de retard à cause du brouillard.
Ma grand-mère garde ses lettres dans une boîte en bois sous l'escalier.
Personne au village ne sait plus qui a bâti le vieux pont de pierre.
En hiver le lac gèle, et les élèves patinent jusqu'à la tombée de la nuit.
Il demanda deux fois le prix, compta ses pièces et n'acheta rien.
La maîtresse ferma le livre, regarda par la fenêtre et se tut très longtemps.
Chaque samedi, les fermiers apportent des pommes, du fromage et du miel au marché.
Nous avons marché le long de la rivière en parlant de l'été qui s'était achevé.
Le dernier train étant parti, nous avons dormi sur un banc de la gare.
Son frère répare des horloges, et aucune des siennes n'est à l'heure, ça l'amuse.
Une bonne soupe exige de la patience, disait la cuisinière, et du sel à la fin.
Le chat regardait la pluie derrière la vitre comme une pièce de théâtre.
Quand la lumière s'éteignit, quelqu'un rit et quelqu'un alluma une bougie.
Ils ont planté un noyer l'année où leur fille est née, là où le pré commence.
""",
    "German": """
Die Fähre verließ den Hafen wegen des Nebels eine Stunde zu spät.
Meine Großmutter bewahrt ihre Briefe in einer hölzernen Kiste unter der Treppe auf.
Niemand im Dorf weiß noch, wer die alte Brücke gebaut hat.
Im Winter friert der See zu, und die Kinder laufen Schlittschuh, bis es dunkel wird.
Er fragte zweimal nach dem Preis, zählte seine Münzen und kaufte nichts.
Die Lehrerin schloss das Buch, schaute zum Fenster hinaus und schwieg für lange Zeit.
Jeden Samstag bringen die Bauern Äpfel, Käse und Honig auf den Markt.
Wir gingen am Fluss entlang und erzählten uns von dem Sommer, der vorüber war.
Der letzte Zug war weg, also schliefen wir auf einer Bank im Wartesaal, müde und fröhlich.
Ihr Bruder repariert Uhren, und keine von seinen eigenen geht richtig, was ihn nicht stört.
Eine gute Suppe braucht Geduld, sagte der Koch, und das Salz kommt zum Schluss.
Die Katze sah dem Regen zu, als wäre er ein Stück im Theater, und schnurrte über nichts.
Als das Licht ausging, lachte jemand, und jemand zündete eine Kerze an.
Sie pflanzten einen Nussbaum in dem Jahr, in dem ihre Tochter zur Welt kam, größer als ein Haus.
""",
    "Spanish": """
El barco salió del puerto con una hora de retraso a causa de la niebla.
Mi abuela guarda sus cartas en una caja de madera que está debajo de la escalera.
Nadie en el pueblo recuerda quién construyó el viejo puente, ni en qué año.
En invierno el lago se hiela y los niños patinan hasta que oscurece.
Preguntó dos veces el precio, contó sus monedas y no compró nada.
La maestra cerró el libro, miró por la ventana y calló durante un buen rato.
Cada sábado los campesinos traen manzanas, queso y miel al mercado, también castañas.
¿Por qué no caminamos junto al río y hablamos del verano que ya pasó?
El último tren se había ido, así que dormimos en un banco de la estación.
Su hermano arregla relojes, y ninguno de los suyos da la hora: ¡qué vergüenza!
Una buena sopa necesita paciencia, decía el cocinero, y la sal muy al final.
El gato miraba la lluvia como si fuera una función, sin moverse jamás.
Cuando se apagó la luz, alguien se rió y alguien encendió una vela pequeña.
Plantaron un nogal el año en que nació su hija, allá donde empieza el camino.
""",
    "Portuguese": """
O barco saiu do porto com uma hora de atraso por causa do nevoeiro, e ninguém se queixou.
A minha avó guarda as cartas numa caixa de madeira que está debaixo da escada.
Já não há quem se lembre de quem construiu a ponte velha, nem em que século.
No inverno o lago gela e as crianças patinam até à noite.
Perguntou duas vezes o preço, contou as moedas e não comprou coisa alguma.
A professora fechou o livro, olhou pela janela e ficou em silêncio muito tempo.
Aos sábados os lavradores trazem maçãs, queijo e mel ao mercado da povoação.
Caminhámos junto ao rio e falámos do verão que tinha acabado, com saudade.
O último comboio tinha partido, então dormimos num banco da estação.
O irmão dela conserta relógios, e nenhum dos seus está certo, o que não o aflige.
Uma boa sopa exige paciência, dizia o cozinheiro, e o sal só no fim, sem exceção.
O gato via a chuva como se fosse uma peça de teatro, atrás da vidraça.
Quando a luz se apagou, alguém riu e alguém acendeu uma vela, então começou a canção.
Plantaram uma nogueira no ano em que a filha nasceu, à beira do caminho.
""",
    "Swedish": """
Färjan lämnade hamnen en timme för sent på grund av dimman.
Min farmor gömmer sina brev i en trälåda under trappan.
Ingen i byn minns vem som byggde den gamla bron över ån.
På vintern fryser sjön, och barnen åker skridskor tills det blir mörkt.
Han frågade två gånger vad det kostade, räknade sina mynt och köpte ingenting.
Läraren stängde boken, såg ut genom fönstret och teg en lång stund.
Varje lördag kommer bönderna med äpplen, ost och honung till torget.
Vi gick längs floden och pratade om sommaren som var över, så länge vi orkade.
Det sista tåget hade gått, så vi sov på en bänk i väntsalen.
Hennes bror lagar klockor, och ingen av hans egna går rätt, vilket han är stolt över.
En god soppa kräver tålamod, sade kocken, och saltet får vänta till sist.
Katten såg på regnet som om det vore en pjäs på teatern, från köksfönstret.
När ljuset slocknade skrattade någon, och någon tände ett stearinljus på bordet.
De planterade ett valnötsträd det år då deras dotter föddes, intill gården.
""",
    "Russian": """
Паром вышел из гавани на час позже, потому что над водой стоял густой туман.
Моя бабушка хранит свои письма в деревянной шкатулке под лестницей.
Никто в деревне не помнит, кто построил старый каменный мост через реку.
Зимой озеро замерзает, и дети катаются на коньках до самой темноты.
Он дважды спросил цену, пересчитал монеты и ничего не купил.
Учительница закрыла книгу, посмотрела в окно и долго молчала.
Каждую субботу крестьяне привозят на рынок яблоки, сыр и мёд.
Мы шли вдоль реки и говорили о лете, которое уже кончилось.
Последний поезд ушёл, и мы переночевали на скамейке в зале ожидания.
Её брат чинит часы, и ни одни из его собственных не идут верно.
Хороший суп требует терпения, говорил повар, а соль кладут в самом конце.
Кошка смотрела на дождь из окна кухни так, словно это был спектакль.
Когда погас свет, кто-то засмеялся, а кто-то зажёг свечу.
Они посадили орех в том году, когда родилась их дочь, и теперь он выше дома.
""",
    "Ukrainian": """
Пором вийшов із гавані на годину пізніше, бо над водою стояв густий туман.
Моя бабуся зберігає свої листи в дерев'яній скриньці під сходами.
Ніхто в селі вже не пам'ятає, хто збудував старий кам'яний міст через річку.
Узимку озеро замерзає, і діти катаються на ковзанах, аж поки стемніє.
Він двічі спитав ціну, перелічив монети й нічого не купив.
Учителька згорнула книжку, глянула у вікно і довго мовчала.
Щосуботи селяни привозять на ринок яблука, сир і мед зі своїх пасік.
Ми йшли вздовж річки й розмовляли про літо, яке вже минуло.
Останній потяг поїхав, тож ми переночували на лавці в залі очікування.
Її брат лагодить годинники, і жоден із його власних не йде правильно.
Добрий суп потребує терпіння, казав кухар, а сіль кладуть наприкінці.
Кішка дивилася на дощ із вікна кухні так, ніби це була вистава.
Коли згасло світло, хтось засміявся, а хтось запалив свічку.
Вони посадили горіх того року, коли народилася їхня донька, і тепер він вищий за хату.
""",
    "Bulgarian": """
Фериботът напусна пристанището с един час закъснение заради гъстата мъгла.
Баба ми пази писмата си в дървена кутия под стълбите.
Никой в селото вече не помни кой е построил стария каменен мост над реката.
През зимата езерото замръзва и децата се пързалят с кънки, докато се стъмни.
Той попита два пъти за цената, преброи монетите си и не купи нищо.
Учителката затвори книгата, погледна през прозореца и дълго мълча.
Всяка събота селяните носят на пазара ябълки, сирене и мед.
Вървяхме край реката и си говорехме за лятото, което беше отминало.
Последният влак беше заминал, затова спахме на една пейка в чакалнята.
Брат ѝ поправя часовници, а нито един от неговите не върви точно.
Добрата супа иска търпение, казваше готвачът, а солта се слага накрая.
Котката гледаше дъжда от прозореца на кухнята, сякаш беше представление.
Когато светлината угасна, някой се засмя, а някой запали свещ.
Те посадиха орех в годината, в която се роди дъщеря им, и сега той е по-висок от къщата.
""".replace("ѝ", "й"),
    "Polish": """
Prom wypłynął z portu godzinę później, bo nad wodą wisiała gęsta mgła.
Moja babcia trzyma swoje listy w drewnianej skrzynce pod schodami.
Nikt we wsi nie pamięta już, kto zbudował stary kamienny most przez rzekę.
Zimą jezioro zamarza, a dzieci jeżdżą na łyżwach aż do zmroku.
Dwa razy zapytał o cenę, przeliczył monety i niczego nie kupił.
Nauczycielka zamknęła książkę, spojrzała przez okno i długo milczała.
W każdą sobotę chłopi przywożą na targ jabłka, ser i miód.
Szliśmy wzdłuż rzeki i rozmawialiśmy o lecie, które już się skończyło.
Ostatni pociąg odjechał, więc przespaliśmy noc na ławce w poczekalni.
Jej brat naprawia zegary, a żaden z jego własnych nie chodzi dobrze.
Dobra zupa wymaga cierpliwości, mówił kucharz, a sól dodaje się na końcu.
Kot patrzył na deszcz z kuchennego okna, jakby to było przedstawienie.
Kiedy zgasło światło, ktoś się roześmiał, a ktoś zapalił świecę.
Posadzili orzech w roku, w którym urodziła się ich córka, i dziś jest wyższy niż dom.
""",
    "Czech": """
Trajekt vyplul z přístavu o hodinu později, protože nad vodou ležela hustá mlha.
Moje babička má své dopisy v dřevěné krabici pod schody.
Nikdo ve vesnici už neví, kdo postavil ten starý kamenný most přes řeku.
V zimě jezero zamrzne a děti bruslí, dokud se nesetmí.
Dvakrát se zeptal na cenu, přepočítal mince a nic si nekoupil.
Učitelka zavřela knihu, podívala se z okna a dlouho mlčela.
Každou sobotu přivážejí sedláci na trh jablka, sýr a med.
Šli jsme podél řeky a povídali si o létě, které už skončilo.
Poslední vlak odjel, a tak jsme spali na lavici v čekárně.
Její bratr opravuje hodiny a žádné z jeho vlastních nejdou správně.
Dobrá polévka potřebuje trpělivost, říkal kuchař, a sůl až úplně nakonec.
Kočka se dívala z kuchyně na déšť, jako by to bylo divadelní představení.
Když zhaslo světlo, někdo se zasmál a někdo zapálil svíčku.
Zasadili ořech v roce, kdy se jim narodila dcera, a teď je vyšší než dům.
""",
    "Hungarian": """
A komp egy órával később indult a kikötőből, mert sűrű köd ült a vízen.
A nagyanyám egy fadobozban őrzi a leveleit a lépcső alatt.
A faluban már senki sem tudja, ki építette a régi kőhidat a folyón.
Télen befagy a tó, és a gyerekek sötétedésig korcsolyáznak rajta.
Kétszer is megkérdezte az árát, megszámolta a pénzét, és nem vett semmit.
A tanítónő becsukta a könyvet, kinézett az ablakon, és sokáig hallgatott.
Szombatonként a gazdák almát, sajtot és mézet hoznak a piacra.
A folyó mentén sétáltunk, és a nyárról beszélgettünk, amely elmúlt.
Az utolsó vonat elment, így a váróterem padján aludtunk.
A bátyja órákat javít, de a sajátjai közül egy sem jár jól, és ez őt nem zavarja.
A jó leveshez türelem kell, mondta a szakács, a sót pedig a végén tesszük bele.
A macska úgy nézte az esőt a konyhaablakból, mintha színdarab volna.
Amikor kialudt a fény, valaki nevetett, valaki pedig gyertyát gyújtott.
Diófát ültettek abban az évben, amikor a lányuk született, és az ma nagyobb, mint a házuk.
""",
    "Greek": """
Το πλοίο έφυγε από το λιμάνι μία ώρα αργότερα, γιατί είχε πυκνή ομίχλη.
Η γιαγιά μου φυλάει τα γράμματά της σε ένα ξύλινο κουτί κάτω από τη σκάλα.
Κανείς στο χωριό δεν θυμάται πια ποιος έχτισε το παλιό πέτρινο γεφύρι.
Τον χειμώνα η λίμνη παγώνει και τα παιδιά κάνουν πατινάζ ώσπου να νυχτώσει.
Ρώτησε δύο φορές την τιμή, μέτρησε τα νομίσματά του και δεν αγόρασε τίποτα.
Η δασκάλα έκλεισε το βιβλίο, κοίταξε έξω από το παράθυρο και σώπασε για πολλή ώρα.
Κάθε Σάββατο οι αγρότες φέρνουν μήλα, τυρί και μέλι στην αγορά.
Περπατούσαμε δίπλα στο ποτάμι και μιλούσαμε για το καλοκαίρι που είχε τελειώσει.
Το τελευταίο τρένο είχε φύγει, έτσι κοιμηθήκαμε σε ένα παγκάκι του σταθμού.
Ο αδελφός της διορθώνει ρολόγια, και κανένα από τα δικά του δεν δείχνει τη σωστή ώρα.
Η καλή σούπα θέλει υπομονή, έλεγε ο μάγειρας, και το αλάτι στο τέλος.
Η γάτα κοίταζε τη βροχή από την κουζίνα σαν να ήταν θέατρο.
Όταν έσβησε το φως, κάποιος γέλασε και κάποιος άναψε ένα κερί.
Φύτεψαν μια καρυδιά τη χρονιά που γεννήθηκε η κόρη τους, και τώρα είναι ψηλότερη από το σπίτι.
""",
    "Turkish": """
Vapur, denizin üstündeki yoğun sis yüzünden limandan bir saat geç ayrıldı.
Büyükannem mektuplarını merdivenin altındaki tahta kutuda saklar.
Köyde artık hiç kimse eski taş köprüyü kimin yaptığını bilmiyor.
Kışın göl donar ve çocuklar hava kararıncaya kadar buz üzerinde kayar.
Fiyatı iki kez sordu, paralarını saydı ve hiçbir şey almadı.
Öğretmen kitabı kapattı, pencereden dışarı baktı ve uzun süre sustu.
Her cumartesi köylüler pazara elma, peynir ve bal getirir.
Irmak boyunca yürüdük ve artık biten yazdan söz ettik.
Son tren gitmişti, bu yüzden bekleme salonunda bir bankta uyuduk.
Kardeşi saat onarıyor, ama kendi saatlerinin hiçbiri doğru değil.
İyi bir çorba sabır ister, derdi aşçı, tuzu da en sonunda atılır.
Kedi mutfak penceresinden yağmuru bir oyunmuş gibi seyrediyordu.
Işıklar sönünce biri güldü, biri de bir mum yaktı.
Kızlarının doğduğu yıl bir ceviz ağacı diktiler, şimdi evden daha yüksek.
""",
    "Hebrew": """
המעבורת יצאה מן הנמל באיחור של שעה בגלל הערפל הכבד שמעל המים.
סבתא שלי שומרת את המכתבים שלה בקופסת עץ מתחת למדרגות.
איש בכפר כבר לא זוכר מי בנה את גשר האבן הישן שמעל הנהר.
בחורף האגם קופא, והילדים מחליקים על הקרח עד שמחשיך.
הוא שאל פעמיים מה המחיר, ספר את המטבעות ולא קנה דבר.
המורה סגרה את הספר, הביטה מן החלון ושתקה זמן רב.
בכל יום שישי מביאים האיכרים לשוק תפוחים, גבינה ודבש.
הלכנו לאורך הנהר ודיברנו על הקיץ שכבר נגמר.
הרכבת האחרונה כבר נסעה, ולכן ישנו על ספסל באולם ההמתנה.
אחיה מתקן שעונים, ואף אחד מהשעונים שלו אינו מדויק.
מרק טוב דורש סבלנות, אמר הטבח, ואת המלח מוסיפים בסוף.
החתולה הסתכלה על הגשם מחלון המטבח כאילו היה הצגה.
כשכבה האור מישהו צחק, ומישהו אחר הדליק נר.
הם נטעו עץ אגוז בשנה שבה נולדה בתם, ועכשיו הוא גבוה מן הבית.
""",
    "Arabic": """
غادرت العبارة الميناء متأخرة ساعة كاملة بسبب الضباب الكثيف فوق الماء.
تحتفظ جدتي برسائلها في صندوق خشبي تحت الدرج.
لم يعد أحد في القرية يتذكر من بنى الجسر الحجري القديم فوق النهر.
في الشتاء تتجمد البحيرة ويتزلج الأطفال حتى يحل الظلام.
سأل عن الثمن مرتين، وعد نقوده، ثم لم يشتر شيئا.
أغلقت المعلمة الكتاب ونظرت من النافذة وسكتت طويلا.
في كل يوم سبت يحمل الفلاحون التفاح والجبن والعسل إلى السوق.
مشينا على ضفة النهر وتحدثنا عن الصيف الذي انتهى.
كان القطار الأخير قد رحل، فنمنا على مقعد في قاعة الانتظار.
أخوها يصلح الساعات، ولا واحدة من ساعاته تدل على الوقت الصحيح.
الحساء الجيد يحتاج إلى الصبر، كما قال الطباخ، والملح يأتي في النهاية.
كانت القطة تنظر إلى المطر من نافذة المطبخ كأنه مسرحية.
حين انطفأ النور ضحك أحدهم وأشعل آخر شمعة.
زرعوا شجرة جوز في السنة التي ولدت فيها ابنتهم، وهي الآن أعلى من البيت.
""",
    "Thai": """
เรือข้ามฟากออกจากท่าช้าไปหนึ่งชั่วโมงเพราะหมอกลงจัดเหนือแม่น้ำ
ยายของฉันเก็บจดหมายไว้ในกล่องไม้ใต้บันได
ไม่มีใครในหมู่บ้านจำได้แล้วว่าใครเป็นคนสร้างสะพานหินเก่า
ในฤดูหนาวทะเลสาบเย็นจัด และเด็กๆ เล่นกันจนมืดค่ำ
เขาถามราคาสองครั้ง นับเหรียญในมือ แล้วก็ไม่ได้ซื้ออะไรเลย
ครูปิดหนังสือ มองออกไปนอกหน้าต่าง และนิ่งเงียบอยู่นาน
ทุกวันเสาร์ชาวนาจะนำผลไม้ ผัก และน้ำผึ้งมาขายที่ตลาด
เราเดินไปตามริมแม่น้ำและคุยกันถึงฤดูร้อนที่ผ่านไปแล้ว
รถไฟเที่ยวสุดท้ายออกไปแล้ว เราจึงนอนบนม้านั่งในห้องพักผู้โดยสาร
พี่ชายของเธอซ่อมนาฬิกา แต่นาฬิกาของเขาเองไม่ตรงสักเรือน
แกงที่อร่อยต้องใช้ความอดทน พ่อครัวบอกอย่างนั้น ส่วนเกลือใส่ตอนท้ายสุด
แมวนั่งมองสายฝนจากหน้าต่างห้องครัวเหมือนกำลังดูละคร
เมื่อไฟดับ มีคนหัวเราะ และมีคนจุดเทียนขึ้นมา
พวกเขาปลูกต้นไม้ในปีที่ลูกสาวเกิด ตอนนี้มันสูงกว่าบ้านแล้ว
""",
    "Vietnamese": """
Chuyến phà rời bến muộn một giờ vì sương mù dày đặc trên mặt sông.
Bà tôi cất những lá thư của mình trong một chiếc hộp gỗ dưới gầm cầu thang.
Không còn ai trong làng nhớ người nào đã xây chiếc cầu đá cũ.
Mùa đông nước hồ rất lạnh, nhưng trẻ con vẫn chơi ở đó đến tối.
Anh ấy hỏi giá hai lần, đếm lại tiền rồi không mua gì cả.
Cô giáo gấp sách lại, nhìn ra ngoài cửa sổ và im lặng rất lâu.
Mỗi thứ bảy nông dân mang táo, trứng và mật ong ra chợ bán.
Chúng tôi đi dọc bờ sông và nói chuyện về mùa hè đã qua.
Chuyến tàu cuối cùng đã chạy, nên chúng tôi ngủ trên ghế trong phòng đợi.
Anh trai cô ấy sửa đồng hồ, mà không chiếc nào của anh chạy đúng giờ.
Nấu canh ngon thì phải kiên nhẫn, người đầu bếp nói, còn muối thì cho sau cùng.
Con mèo ngồi ngắm mưa bên cửa sổ nhà bếp như đang xem một vở kịch.
Khi đèn tắt, có người bật cười, có người thắp một ngọn nến.
Họ trồng một cây hồ đào vào năm con gái ra đời, bây giờ nó cao hơn ngôi nhà.
""",
    "Japanese": """
濃い霧のために、渡し船は一時間も遅れて港を出た。
祖母は手紙をみんな、階段の下の木の箱にしまっている。
あの古い石の橋をだれが架けたのか、村ではもうだれも覚えていない。
冬になると湖が凍り、子どもたちは暗くなるまで氷の上ですべって遊ぶ。
男は二度も値段を聞き、小銭を数えて、けっきょく何も買わずに帰った。
先生は本を閉じて窓の外を眺め、しばらくのあいだ黙っていた。
土曜日ごとに、農家の人たちがリンゴやチーズやはちみつを市場へ運んでくる。
わたしたちは川に沿って歩きながら、終わってしまった夏の話をした。
「最終の汽車はもう出ましたよ」と言われたので、待合室のベンチで眠った。
彼女の兄は時計を直すのが仕事なのに、自分の時計はどれも合っていない。
うまいスープには辛抱がいる、塩は最後の最後に入れるものだ、と料理人は言った。
猫は台所の窓から、まるで芝居でも見るように雨を眺めていた。
明かりが消えると、だれかが笑い、だれかがろうそくに火をつけた。
娘が生まれた年に植えたクルミの木は、今では家よりも高くなっている。
""",
    "Simplified Chinese": """
因为河面上有浓雾，渡船晚了一个小时才离开码头。
我的祖母把她的信都放在楼梯下面的一个木盒子里。
村子里已经没有人记得那座古老的石桥是谁修的了。
冬天湖水结冰以后，孩子们在冰上玩到天黑才回家。
他问了两次价钱，数了数手里的硬币，最后什么也没有买。
老师合上书，看着窗外，沉默了很长时间。
每个星期六，农民们都把苹果、奶酪和蜂蜜带到市场上去卖。
我们沿着河边走，谈论着已经过去的夏天。
最后一班火车已经开走了，所以我们在候车室的长椅上睡了一夜。
她的哥哥会修钟表，可是他自己的钟没有一个是准的。
厨师说，好汤需要耐心，盐要到最后才放。
猫从厨房的窗户里看着外面的雨，好像在看一场戏。
灯灭了的时候，有人笑了起来，有人点上了一支蜡烛。
女儿出生的那一年他们种了一棵核桃树，现在它比房子还要高。
""",
    "Traditional Chinese": """
因為河面上有濃霧，渡船晚了一個小時才離開碼頭。
我的祖母把她的信都放在樓梯下面的一個木盒子裡。
村子裡已經沒有人記得那座古老的石橋是誰修的了。
冬天湖水結冰以後，孩子們在冰上玩到天黑才回家。
他問了兩次價錢，數了數手裡的硬幣，最後什麼也沒有買。
老師合上書，看著窗外，沉默了很長時間。
每個星期六，農民們都把蘋果、乳酪和蜂蜜帶到市場上去賣。
我們沿著河邊走，談論著已經過去的夏天。
最後一班火車已經開走了，所以我們在候車室的長椅上睡了一夜。
她的哥哥會修鐘錶，可是他自己的鐘沒有一個是準的。
廚師說，好湯需要耐心，鹽要到最後才放。
貓從廚房的窗戶裡看著外面的雨，好像在看一場戲。
燈滅了的時候，有人笑了起來，有人點上了一支蠟燭。
女兒出生的那一年他們種了一棵核桃樹，現在它比房子還要高。
""",
    "Korean": """
강 위에 안개가 짙게 끼어서 나룻배는 한 시간이나 늦게 항구를 떠났다.
할머니는 편지를 모두 계단 밑에 있는 나무 상자에 보관하신다.
그 오래된 돌다리를 누가 놓았는지 마을에서 기억하는 사람은 이제 없다.
겨울이 되면 호수가 얼고 아이들은 어두워질 때까지 얼음을 지친다.
그는 값을 두 번 묻고 동전을 세어 보더니 아무것도 사지 않았다.
선생님은 책을 덮고 창밖을 바라보며 한참 동안 말이 없었다.
토요일마다 농부들이 사과와 치즈와 꿀을 시장에 가지고 온다.
우리는 강을 따라 걸으면서 지나간 여름 이야기를 했다.
마지막 기차가 떠나 버려서 우리는 대합실 의자에서 잠을 잤다.
그녀의 오빠는 시계를 고치는 사람인데 자기 시계는 하나도 맞지 않는다.
맛있는 국은 참을성이 있어야 하고 소금은 맨 나중에 넣는다고 요리사가 말했다.
고양이는 부엌 창문에서 연극이라도 보듯이 비를 바라보고 있었다.
불이 꺼지자 누군가 웃었고 누군가는 촛불을 켰다.
딸이 태어난 해에 심은 호두나무가 이제는 집보다 더 높이 자랐다.
""",
}

PAIRS = [
    *[("Russian", name) for name in ("cp1251", "koi8_r", "iso8859_5", "mac_cyrillic", "cp866")],
    *[("Bulgarian", name) for name in ("cp1251", "iso8859_5")],
    ("Ukrainian", "cp1251"),
    *[("Polish", name) for name in ("cp1250", "iso8859_2", "cp852")],
    *[("Czech", name) for name in ("cp1250", "iso8859_2", "cp852", "mac_latin2")],
    *[("Hungarian", name) for name in ("cp1250", "iso8859_2", "cp852")],
    *[("Greek", name) for name in ("cp1253", "iso8859_7")],
    *[("Turkish", name) for name in ("cp1254", "iso8859_9")],
    *[("Hebrew", name) for name in ("cp1255", "iso8859_8")],
    *[("Arabic", name) for name in ("cp1256", "iso8859_6")],
    *[("Thai", name) for name in ("cp874", "tis_620")],
    ("Vietnamese", "cp1258"),
    *[("Japanese", name) for name in ("cp932", "euc_jp", "iso2022_jp", "utf_16_le", "utf_16_be", "utf_16")],
    *[("Simplified Chinese", name) for name in ("gb18030", "gbk", "hz")],
    ("Traditional Chinese", "big5"),
    *[("Korean", name) for name in ("cp949", "euc_kr")],
    *[("French", name) for name in ("cp1252", "latin_1", "iso8859_15", "mac_roman", "cp850")],
    *[("German", name) for name in ("cp1252", "mac_roman", "cp850", "cp437")],
    *[("Spanish", name) for name in ("cp1252", "cp850")],
    *[("Portuguese", name) for name in ("cp1252", "cp850")],
    ("Swedish", "cp1252"),
]

# English with a few words that are not ASCII, as people write it
FOREIGN_WORDS = ["don’t", "café", "£5", "“quite”", "1914–1918", "naïve", "it’s", "20 °C", "résumé", "Zoë", "€9", "—"]


def shuffled(language: str, length: int, rng: random.Random) -> str:
    """A text of a language, of about so many characters, in paragraphs."""
    sentences = SENTENCES[language].strip().split("\n")
    space = "" if language in ("Japanese", "Simplified Chinese", "Traditional Chinese", "Thai") else " "
    parts: list[str] = []
    size = 0
    while size < length:
        paragraph = space.join(rng.sample(sentences, rng.randint(1, 5)))
        parts.append(paragraph)
        size += len(paragraph) + 1
    return "\n".join(parts)[:length]


def as_html(text: str) -> str:
    """A text as a page that does not tell its encoding."""
    paragraphs = "\n".join(f'<p class="text">{line}</p>' for line in text.split("\n"))
    return f'<html><head><title>Page</title></head>\n<body id="main">\n{paragraphs}\n<hr>\n</body></html>\n'


def with_foreign_words(length: int, count: int, rng: random.Random) -> str:
    """An English text that has so many words which are not ASCII."""
    words = shuffled("English", length, rng).split(" ")
    for place in rng.sample(range(len(words)), count):
        words[place] = rng.choice(FOREIGN_WORDS)
    return " ".join(words)


def encoded(text: str, encoding: str) -> bytes:
    """A text in an encoding; Vietnamese letters come apart, since cp1258 has their tones as characters of their own."""
    return (_toned(text) if encoding == "cp1258" else text).encode(encoding)


def _toned(text: str) -> str:
    import unicodedata

    parts = []
    for symbol in text:
        try:
            symbol.encode("cp1258")
            parts.append(symbol)
        except UnicodeEncodeError:
            letters = unicodedata.normalize("NFD", symbol)
            tones = "".join(mark for mark in letters if mark in "\u0300\u0301\u0303\u0309\u0323")
            base = unicodedata.normalize("NFC", "".join(mark for mark in letters if mark not in tones))
            parts.append(base + tones)
    return "".join(parts)
